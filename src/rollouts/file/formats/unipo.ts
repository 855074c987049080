/**
 * A training log of UNIPO: `{"header", "entries": [{"step", "prompts": [{"prompt", "responses": [...]}]}]}`. Contract:
 * one row per response of every entry, in order; entries that hold metrics only have none.
 *
 * Source: poloclub/unipo at a9c9acf, `docs/canonical_schema.json`. Per-token columns lie under `tokens`; a
 * response's `reward` is its reward, `tokens.rewards` may hold a penalty besides and is left alone. `advantages` of
 * tokens count before the response's `advantage`.
 */
import { isRow, type Row } from '../fields';

const rows = (value: unknown): Row[] => (Array.isArray(value) ? value.filter(isRow) : []);

function rowOf(response: Row, prompt: unknown, step: unknown): Row {
  const tokens = isRow(response['tokens']) ? response['tokens'] : {};
  const { ids, strings } = tokens;
  const columns = Object.fromEntries(
    Object.entries(tokens).filter(([name]) => !['ids', 'strings', 'rewards'].includes(name)),
  );
  const { reward, advantage } = response;
  return {
    ...columns,
    ...(columns['advantages'] === undefined && advantage !== undefined ? { advantage } : {}),
    ...(reward === undefined ? {} : { reward }),
    ...(ids === undefined ? {} : { token_ids: ids }),
    ...(strings === undefined ? {} : { tokens: strings }),
    ...(step === undefined ? {} : { step }),
    prompt,
  };
}

/** @returns the responses; null where the value is no such log */
export function unipoRows(value: Row): Row[] | null {
  const { header, entries } = value;
  if (!isRow(header) || !Array.isArray(entries)) return null;
  return rows(entries).flatMap((entry) =>
    rows(entry['prompts']).flatMap(({ prompt, responses }) =>
      rows(responses).map((response) => rowOf(response, prompt, entry['step'])),
    ),
  );
}
