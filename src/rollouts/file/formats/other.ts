/**
 * Formats that are told and not read: each has its own sentence with the way out. Contract: pure; whoever gets
 * through may still be JSON Lines.
 */
import { wholeFile } from '../bytes';
import { RolloutFileError } from '../problems';
import { refuseBinary } from '../text';
import type { Head } from './format';

const begins =
  (...bytes: number[]) =>
  ({ bytes: head }: Head) =>
    bytes.every((byte, i) => head[i] === byte);

/** "ustar" at byte 257 of a POSIX tar's first header */
const isTar = ({ bytes }: Head) =>
  [0x75, 0x73, 0x74, 0x61, 0x72].every((byte, i) => bytes[257 + i] === byte);

/** pickle protocols 2 to 5, which torch.save of old and pickle.dump write */
const isPickle = ({ bytes }: Head) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5;

/** `{'group': ...`: what print(row) and str(row) give */
const isPython = ({ text }: Head) => /^[[({]*\s*\{\s*'/.test(text) || /^\w+\(\w+=/.test(text);

/** A first line of names between commas, semicolons or tabs, no brace in sight. */
const isTable = ({ text }: Head) => {
  const line = text.slice(0, 65_536).split(/\r?\n/, 1)[0] ?? '';
  if (/^[[{]/.test(line)) return false;
  return /^#?\s*"?[\w ./:-]+"?(\s*[,;\t]\s*"?[\w ./:-]*"?)+\s*$/.test(line);
};

const UNPACK = 'Unpack it first, or pack with gzip, zstd or zip, which are read.';

const OTHERS: readonly { is(head: Head): boolean; message: string }[] = [
  {
    is: isTar,
    message:
      'is a tar archive. Unpack it (tar -xf FILE) and give the folder; a zip is read as it is.',
  },
  {
    is: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a),
    message: `is packed with xz, which is not read. ${UNPACK}`,
  },
  { is: begins(0x42, 0x5a, 0x68), message: `is packed with bzip2, which is not read. ${UNPACK}` },
  {
    is: begins(0x04, 0x22, 0x4d, 0x18),
    message: `is packed with lz4, which is not read. ${UNPACK}`,
  },
  { is: begins(0x37, 0x7a, 0xbc, 0xaf), message: `is a 7z archive, which is not read. ${UNPACK}` },
  {
    is: isPickle,
    message:
      'is a Python pickle (pickle.dump, torch.save), which only Python can open. Load it there and write one JSON object per response (docs/export/schemas.md has the lines).',
  },
  {
    is: begins(0x41, 0x52, 0x52, 0x4f, 0x57, 0x31),
    message:
      'is an Arrow (Feather) file. Write Parquet: pyarrow.parquet.write_table(table, "run.parquet").',
  },
  {
    is: begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
    message:
      'is a NumPy array. Write one JSON object per response: json.dumps with array.tolist().',
  },
  {
    is: isPython,
    message:
      "is Python's repr, not JSON: print(row) and str(row) write single quotes, None and True. Write json.dumps(row), tensors as .tolist().",
  },
  {
    is: isTable,
    message:
      'is CSV or another table of text: its cells hold one value each, and a response needs arrays. Write JSONL: df.to_json("run.jsonl", orient="records", lines=True); if the cells are texts such as "[-0.5, -1.2]", turn them into lists first: df[c] = df[c].map(json.loads). Parquet works as well.',
  },
];

/** @throws RolloutFileError */
export function refuseOther(head: Head): void {
  const other = OTHERS.find(({ is }) => is(head));
  if (other) throw new RolloutFileError(wholeFile(head.name, other.message));
  refuseBinary(head.name, head.bytes);
}
