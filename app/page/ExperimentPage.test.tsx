import { expect, it } from 'vitest';
import { samePromptsWords } from './ExperimentPage';

it('says why intervals rest on fewer prompts than the panel asks for, and nothing where they do not', () => {
  expect(samePromptsWords(64, 61)).toBe(
    '64 prompts were drawn, 61 of them different: intervals rest on those, and a prompt that came twice counts once.',
  );
  expect(samePromptsWords(64, 64)).toBeNull();
  // Of no claim anything is known yet.
  expect(samePromptsWords(64, 0)).toBeNull();
  expect(samePromptsWords(64, -Infinity)).toBeNull();
});
