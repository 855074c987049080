/** The page on findings is the rules' own. */
import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { findingsPage } from './docs';

const PAGE = new URL('../../../docs/findings.md', import.meta.url).pathname;
const CALIBRATION = new URL('./calibration.md', import.meta.url);

it('docs/findings.md is made from the rules', async () => {
  const text = findingsPage(readFileSync(CALIBRATION, 'utf8').trim());
  const config = await resolveConfig(PAGE);
  await expect(await format(text, { ...config, parser: 'markdown' })).toMatchFileSnapshot(PAGE);
});
