/**
 * Files as a person hands them over: picked, dropped, or a whole folder. Contract: of a folder only what
 * the lab can read is taken, in the order of its steps; of files picked one by one, all, so that the reader
 * can say what is wrong with one.
 */
import type { ImportFile } from '../../../src/engine/lab/protocol';
import { folderFiles, isHidden } from '../../../src/rollouts/file/folder';

function ofFolder(files: readonly ImportFile[]): ImportFile[] {
  return folderFiles(files).map((file) => ({ ...file, fromFolder: true }));
}

/** Files of an `<input>`; in a folder input each knows its path. */
export function pickedFiles(list: Iterable<File>): ImportFile[] {
  const files = Array.from(list, (file) => ({
    name: file.webkitRelativePath || file.name,
    blob: file,
  }));
  return files.some(({ name }) => name.includes('/')) ? ofFolder(files) : files;
}

function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function walk(entry: FileSystemEntry, out: ImportFile[]): Promise<void> {
  if (entry.isFile) {
    const blob = await fileOf(entry as FileSystemFileEntry);
    out.push({ name: entry.fullPath.replace(/^\//, ''), blob });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader hands out at most a hundred entries at a time.
  for (let more = await entriesOf(reader); more.length > 0; more = await entriesOf(reader)) {
    for (const child of more) if (!isHidden(child.name)) await walk(child, out);
  }
}

/** Must be called within the drop event: what was dropped is gone after it. */
export function droppedFiles(transfer: DataTransfer): Promise<ImportFile[]> {
  const entries = Array.from(transfer.items, (item) =>
    item.kind === 'file' ? item.webkitGetAsEntry() : null,
  ).filter((entry) => entry !== null);
  const plain = Array.from(transfer.files, (file) => ({ name: file.name, blob: file }));
  if (!entries.some((entry) => entry.isDirectory)) return Promise.resolve(plain);
  return (async () => {
    const picked: ImportFile[] = [];
    const below: ImportFile[] = [];
    for (const entry of entries) await walk(entry, entry.isDirectory ? below : picked);
    return [...picked, ...ofFolder(below)];
  })();
}
