/**
 * What a file format is to the reader. Contract: one file per format; `recognise` looks at the first bytes,
 * which are unpacked already, and at the name where these leave a doubt; `read` gives records as unchecked
 * values, in the order of the file, and throws `RolloutFileError` where the file as a whole cannot be read.
 */
import type { Compression, Opened } from '../compression';
import type { RolloutFile } from '../bytes';
import type { Unit } from '../problems';

export interface Head {
  name: string;
  /** the first bytes, 64 KiB or all there are */
  bytes: Uint8Array;
  /** the same as text; wrong bytes are replaced */
  text: string;
}

export interface Content extends Opened {
  file: RolloutFile;
  compression: Compression | null;
  signal: AbortSignal | undefined;
  /** share of the file that is done, for formats that are not read from front to back */
  progress(share: number): void;
}

export interface FormatRecord {
  /** line, item or row, counted from 1 */
  index: number;
  /** throws RecordError where it is none; good until the next one is asked for */
  value(): unknown;
}

export interface RecordBatch {
  unit: Unit;
  records: readonly FormatRecord[];
  /** columns of these records that the format itself has left unread */
  unread?: readonly string[];
}

export interface Format<Id extends string = string> {
  id: Id;
  recognise(head: Head): boolean;
  read(content: Content): AsyncGenerator<RecordBatch>;
}

export function headOf(name: string, bytes: Uint8Array): Head {
  return { name, bytes, text: new TextDecoder().decode(bytes).trimStart() };
}
