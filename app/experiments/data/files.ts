/**
 * Files as a person hands them over: picked, dropped, or a whole folder. Contract: of a folder only what
 * the lab can read is taken, in the order of its steps; of files picked one by one, all, so that the reader
 * can say what is wrong with one.
 */
import type { ImportFile } from '../../../src/engine/lab/protocol';
import { folderFiles } from '../../../src/rollouts/file/folder';
import { entriesIn, filesBelow } from '../../state/dropped';

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

/** Must be called within the drop event: what was dropped is gone after it. */
export function droppedFiles(transfer: DataTransfer): Promise<ImportFile[]> {
  const entries = entriesIn(transfer);
  const plain = Array.from(transfer.files, (file) => ({ name: file.name, blob: file }));
  if (!entries.some((entry) => entry.isDirectory)) return Promise.resolve(plain);
  return (async () => {
    const picked: ImportFile[] = [];
    const below: ImportFile[] = [];
    for (const entry of entries) {
      (entry.isDirectory ? below : picked).push(...(await filesBelow(entry)));
    }
    return [...picked, ...ofFolder(below)];
  })();
}
