/** Names of the token columns in files: `logpSampler` is `logp_sampler` there. */
import { OPTIONAL_TOKEN_COLUMNS, type FloatArray, type Rollouts } from './rollouts';

export type TokenColumn = 'logpOld' | 'logpNew' | (typeof OPTIONAL_TOKEN_COLUMNS)[number];

export const TOKEN_COLUMNS: readonly TokenColumn[] = [
  'logpOld',
  'logpNew',
  ...OPTIONAL_TOKEN_COLUMNS,
];

export function fileName(column: TokenColumn): string {
  return column.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export interface PresentColumn {
  column: TokenColumn;
  /** as in files */
  name: string;
  values: FloatArray;
  /** float32: written with fewer digits */
  single: boolean;
}

/** The float columns that these rollouts have, in a fixed order. */
export function presentColumns(rollouts: Rollouts): PresentColumn[] {
  return TOKEN_COLUMNS.flatMap((column) => {
    const values = rollouts[column];
    if (values === undefined) return [];
    return [{ column, name: fileName(column), values, single: values instanceof Float32Array }];
  });
}
