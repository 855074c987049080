/** JSON Lines: one response per line, or one batch of responses. Streamed, of any length. */
import { DamagedError } from '../compression';
import { RecordError } from '../problems';
import { isBlank, parseLine, readLines } from '../text';
import type { Format } from './format';

export const jsonl: Format<'jsonl'> = {
  id: 'jsonl',
  /** what is nothing else */
  recognise: () => true,
  async *read({ all }) {
    let next = 1;
    try {
      for await (const { first, lines } of readLines(all)) {
        const records = lines.flatMap((line, i) =>
          line !== null && isBlank(line) ? [] : { index: first + i, value: () => parseLine(line) },
        );
        next = first + lines.length;
        yield { unit: 'line', records };
      }
    } catch (error) {
      if (!(error instanceof DamagedError) || next === 1) throw error;
      const good = next - 1;
      const came = `${good.toLocaleString('en-US')} good line${good === 1 ? '' : 's'} came before that.`;
      const value = () => {
        throw new RecordError(null, `${error.problem.message} ${came}`, { cause: error });
      };
      // What is lost is one bad line, the last: who leaves those out keeps the lines before it.
      yield { unit: 'line', records: [{ index: next, value }] };
    }
  },
};
