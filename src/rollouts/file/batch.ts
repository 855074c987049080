/**
 * A batch on one line: arrays over responses, as trainers hold them. Contract: own properties only; a record
 * that is one response is given back as it is. Shapes: nested arrays (B x T, one log-prob column suffices),
 * pandas' columns (`{"0": ..., "1": ...}`), scalars for all.
 */
import { fieldOf, isList, isRow, isTyped, type Row } from './fields';
import { RecordError } from './problems';

const isLogProbs = (name: string) => {
  const field = fieldOf(name);
  return field === 'logp_old' || field === 'logp_new' || field === 'logp_sampler';
};

/** What stands for a response at each place of a batch's column; null where it is no such column. */
function places(value: unknown): { length: number; at(i: number): unknown } | null {
  if (isList(value)) return { length: value.length, at: (i) => value[i] };
  if (!isRow(value)) return null;
  const keys = Object.keys(value);
  return { length: keys.length, at: (i) => value[keys[i]] };
}

function isNested(value: unknown): boolean {
  if (Array.isArray(value)) return Array.isArray(value[0]) || isTyped(value[0]);
  // A JSON object of arrays: pandas' default.
  return isRow(value) && isList(Object.values(value)[0]);
}

/** The column whose arrays tell how many responses there are; null where the record is one response. */
function leading(row: Row): string | null {
  for (const name of Object.keys(row)) {
    if (isNested(row[name]) && isLogProbs(name)) return name;
  }
  return null;
}

/**
 * The responses of a record.
 * @throws RecordError where a column has another number of responses than the others
 */
export function responsesOf(record: unknown): { rows: unknown[]; batch: boolean } {
  if (!isRow(record)) return { rows: [record], batch: false };
  const lead = leading(record);
  if (lead === null) return { rows: [record], batch: false };
  const count = places(record[lead])?.length ?? 0;
  const rows = Array.from({ length: count }, (): Row => Object.create(null) as Row);
  for (const name of Object.keys(record)) {
    const value = record[name];
    const many = places(value);
    const isMeta = isRow(value) && !isNested(value) && many?.length !== count;
    if (many === null || isMeta) {
      for (const row of rows) row[name] = value;
    } else if (many.length === count) {
      rows.forEach((row, i) => {
        row[name] = many.at(i);
      });
    } else if (fieldOf(name) !== undefined) {
      throw new RecordError(
        name,
        `has ${many.length} entries, but "${lead}" has ${count} responses. This looks like a batch: every column must have one entry per response, or one value for all.`,
      );
    }
  }
  return { rows, batch: true };
}
