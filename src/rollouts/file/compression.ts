/**
 * What is packed is unpacked here, told once by its first bytes: gzip, zstd, and zip as a folder. Contract:
 * streams; a cut or damaged one is a `DamagedError` after all that could be unpacked. Decompressors that the
 * platform does not have are fetched when a file needs them.
 */
import { chunksOf, peek, readBytes, wholeFile, type RolloutFile } from './bytes';
import { folderFiles } from './folder';
import { RolloutFileError } from './problems';

export type Compression = 'gzip' | 'zstd';

export class DamagedError extends RolloutFileError {
  override name = 'DamagedError';
}

const startsWith = (head: Uint8Array, bytes: readonly number[]) =>
  bytes.every((byte, i) => head[i] === byte);
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const EMPTY_ZIP = [0x50, 0x4b, 0x05, 0x06];
/** enough to see the first line of most JSONL files */
const HEAD_BYTES = 64 * 1024;

export interface Opened {
  compression: Compression | null;
  /** the first bytes, unpacked */
  head: Uint8Array;
  /** all bytes, unpacked */
  all: AsyncGenerator<Uint8Array>;
  /** for a caller that has seen enough: lets the source close its handle */
  close(): Promise<unknown>;
}

/** @param onBytes is told of bytes as they are read, before they are unpacked */
export async function openFile(
  file: RolloutFile,
  onBytes: (bytes: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Opened> {
  const raw = await peek(readBytes(file, onBytes, signal), 4);
  const compression = startsWith(raw.head, GZIP)
    ? 'gzip'
    : startsWith(raw.head, ZSTD)
      ? 'zstd'
      : null;
  const again = () => readBytes(file, () => undefined, signal);
  const unpacked =
    compression === 'gzip'
      ? gunzip(file.name, raw.all, again)
      : compression === 'zstd'
        ? unzstd(file.name, raw.all)
        : raw.all;
  return { compression, ...(await peek(unpacked, HEAD_BYTES)) };
}

function damaged(name: string, what: string, cause: unknown): DamagedError {
  return new DamagedError(
    wholeFile(name, `the ${what} data is cut short or damaged. Copy the file again.`),
    { cause },
  );
}

/** @param again the same bytes from the beginning: browsers stop after the first of several gzip members */
async function* gunzip(
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
  again: () => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let sourceError: unknown;
  // The last byte waits for the next chunk. A stream that fails drops what it holds ready; the last byte is
  // taken once that has been read.
  let last = new Uint8Array(0);
  const compressed = new ReadableStream<BufferSource>({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await chunks.next();
          if (done) break;
          const bytes = new Uint8Array(last.length + value.length);
          bytes.set(last);
          bytes.set(value, last.length);
          last = bytes.slice(-1);
          // Without bytes nobody would ask again.
          if (bytes.length > 1) return controller.enqueue(bytes.subarray(0, -1));
        }
        if (last.length > 0) controller.enqueue(last);
        controller.close();
      } catch (error) {
        sourceError = error;
        controller.error(error);
      }
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
  let given = 0;
  try {
    for await (const chunk of chunksOf(compressed.pipeThrough(new DecompressionStream('gzip')))) {
      given += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    yield* gunzipMembers(name, again(), given, error);
  }
}

/**
 * The same of a file of several gzip members, as appending to a `.gz` makes them (RFC 1952, 2.2), in
 * JavaScript: `DecompressionStream` refuses what follows the first member in every browser.
 * @param given bytes that are known already, and left out
 * @param cause what the platform said
 * @throws DamagedError where there is only one member, or a later one is cut
 */
export async function* gunzipMembers(
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
  given: number,
  cause: unknown,
): AsyncGenerator<Uint8Array> {
  const { Gunzip } = await import('fflate');
  let members = 1;
  let known = given;
  const ready: Uint8Array[] = [];
  const inflate = new Gunzip((data) => {
    const skipped = Math.min(known, data.length);
    known -= skipped;
    if (skipped < data.length) ready.push(data.slice(skipped));
  });
  inflate.onmember = () => members++;
  const push = (bytes: Uint8Array, final: boolean) => {
    try {
      inflate.push(bytes, final);
    } catch {
      throw damaged(name, 'gzip', cause);
    }
  };
  let last = new Uint8Array(0);
  for await (const chunk of chunks) {
    push(last, false);
    // fflate keeps what it is given.
    last = chunk.slice();
    if (members > 1) yield* ready.splice(0);
  }
  push(last, true);
  if (members === 1) throw damaged(name, 'gzip', cause);
  yield* ready;
}

async function* unzstd(
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  const ready: Uint8Array[] = [];
  const stream = new Decompress((data) => {
    if (data.length > 0) ready.push(data);
  });
  const push = (bytes: Uint8Array, final: boolean) => {
    try {
      stream.push(bytes, final);
    } catch (error) {
      return error;
    }
    return null;
  };
  for await (const chunk of chunks) {
    const error = push(chunk.slice(), false);
    yield* ready.splice(0);
    if (error !== null) throw damaged(name, 'zstd', error);
  }
  const error = push(new Uint8Array(0), true);
  yield* ready.splice(0);
  if (error !== null) throw damaged(name, 'zstd', error);
}

async function isZip(file: RolloutFile): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, Math.min(4, file.size)));
  return startsWith(head, ZIP) || startsWith(head, EMPTY_ZIP);
}

/** A zip is the folder that it holds; any other file is itself. */
export async function unpacked(file: RolloutFile): Promise<RolloutFile[]> {
  if (!(await isZip(file))) return [file];
  try {
    return await filesOfZip(file);
  } catch (error) {
    // Somebody else's, beside the rollouts.
    if (file.fromFolder && error instanceof RolloutFileError) return [];
    throw error;
  }
}

function refuse(file: RolloutFile, message: string, cause?: unknown): never {
  throw new RolloutFileError(wholeFile(file.name, message), { cause });
}

async function filesOfZip(file: RolloutFile): Promise<RolloutFile[]> {
  const { configure, Reader, ZipReader } = await import('@zip.js/zip.js');
  // The reading runs in a worker of its own already.
  configure({ useWebWorkers: false });
  class Slices extends Reader<RolloutFile> {
    constructor() {
      super(file);
      this.size = file.size;
    }
    override async readUint8Array(index: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
      return new Uint8Array(await file.slice(index, Math.min(file.size, index + length)));
    }
  }
  const zip = new ZipReader(new Slices());
  const entries = await zip
    .getEntries()
    .catch((error: unknown) =>
      refuse(file, 'the zip is cut short or damaged. Copy the file again.', error),
    );
  const names = entries.map(({ filename }) => filename);
  if (names.some((name) => /(^|\/)data\.pkl$/.test(name))) {
    refuse(
      file,
      'was written by torch.save and holds Python objects, which only Python can open. Load it with torch.load and write one JSON object per response (docs/export/schemas.md has the lines).',
    );
  }
  if (names.some((name) => name.endsWith('.npy'))) {
    refuse(
      file,
      'is NumPy’s npz. Write one JSON object per response (json.dumps of array.tolist()), or Parquet.',
    );
  }
  const inside = entries
    .filter((entry) => !entry.directory && !/\.zip$/i.test(entry.filename))
    .map((entry) => ({ name: `${file.name}/${entry.filename}`, entry }));
  const files = folderFiles(inside);
  if (files.length === 0) {
    refuse(file, 'the zip holds no .jsonl, .json or .parquet file.');
  }
  if (files.some(({ entry }) => entry.encrypted)) {
    refuse(file, 'the zip is encrypted; unpack it first.');
  }
  return files.map(({ name, entry }): RolloutFile => {
    const stream = (): ReadableStream<Uint8Array> => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      // What goes wrong reaches the reader through the stream.
      if (!entry.directory)
        entry
          .getData(writable)
          .catch((error: unknown) => writable.abort(error).catch(() => undefined));
      return readable;
    };
    let whole: Promise<ArrayBuffer> | null = null;
    return {
      name,
      size: entry.uncompressedSize,
      fromFolder: true,
      stream,
      async slice(start, end) {
        if (start === 0 && end <= 4)
          return (await peek(chunksOf(stream()), end)).head.slice(0, end).buffer;
        whole ??= new Response(stream() as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer();
        return (await whole).slice(start, end);
      },
    };
  });
}
