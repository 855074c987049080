/** Files below folders that a person drops. Contract: asked within the drop event, after which nothing is there. */
import { isHidden } from '../../src/rollouts/file/folder';

export interface DroppedFile {
  /** with the folders above it, from the dropped one on */
  name: string;
  blob: Blob;
}

export function entriesIn(transfer: DataTransfer): FileSystemEntry[] {
  return Array.from(transfer.items, (item) =>
    item.kind === 'file' ? item.webkitGetAsEntry() : null,
  ).filter((entry) => entry !== null);
}

function childrenOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** The entry's own file, or those below it but hidden ones. */
export async function filesBelow(entry: FileSystemEntry): Promise<DroppedFile[]> {
  if (entry.isFile) {
    const blob = await fileOf(entry as FileSystemFileEntry);
    return [{ name: entry.fullPath.replace(/^\//, ''), blob }];
  }
  const found: DroppedFile[] = [];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader hands out at most a hundred entries at a time.
  for (let more = await childrenOf(reader); more.length > 0; more = await childrenOf(reader)) {
    for (const child of more) if (!isHidden(child.name)) found.push(...(await filesBelow(child)));
  }
  return found;
}
