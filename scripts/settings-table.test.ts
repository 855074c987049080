import { expect, it } from 'vitest';
import { settingsMarkdown } from './settings-table';

it('docs/settings.md says what the declarations say', async () => {
  await expect(await settingsMarkdown()).toMatchFileSnapshot('../docs/settings.md');
});
