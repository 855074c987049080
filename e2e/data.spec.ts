/** A person's own files: dropped, broken, a folder, hostile; what the page says, and that pages work on them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import {
  expect,
  figure,
  goTo,
  NO_POLICY,
  phase,
  sequences,
  sharedPage,
  test,
  type Backend,
} from './lab';

interface Line {
  group: string;
  logp_old: number[];
  logp_new: (number | null)[];
  reward: number;
  tokens?: string[];
}

/** n responses in groups of 4; the new policy is 0.01 nats surer of every token. */
function lines(n: number, more: Partial<Line> = {}): string[] {
  return Array.from({ length: n }, (_, i) => {
    const length = 2 + (i % 5);
    const old = Array.from({ length }, (_, t) => -1 - 0.1 * t);
    const line: Line = {
      group: `g${Math.floor(i / 4)}`,
      logp_old: old,
      logp_new: old.map((x) => x + 0.01),
      reward: i % 2,
      ...more,
    };
    return JSON.stringify(line);
  });
}

/** With the kernels where the project wants them; files need no policy, so neither does this. */
async function open(page: Page, backend: Backend): Promise<void> {
  await page.goto(`./#/data?${NO_POLICY.replace('wasm', backend)}`);
  await expect(phase(page)).toHaveText('Finished');
}

async function drop(page: Page, name: string, text: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, content]) => {
      const data = new DataTransfer();
      data.items.add(new File([content], fileName));
      return data;
    },
    [name, text] as const,
  );
  await page.getByRole('region', { name: 'Your files' }).dispatchEvent('drop', {
    dataTransfer: transfer,
  });
}

const picker = (page: Page) => page.getByLabel('Files with rollouts');

const shared = sharedPage(open);

test.beforeEach(() => goTo(shared(), 'data'));

// The first on this page: there is no report yet.
test('a broken file is refused by line and field; without the bad line it is read, and counted', async () => {
  const page = shared();
  const broken = [...lines(8), ...lines(1, { logp_new: [-1, null] }), ...lines(3)];
  await drop(page, 'broken.jsonl', broken.join('\n'));
  const refusal = page.getByTestId('unreadable');
  await expect(refusal).toContainText('broken.jsonl, line 9, field "logp_new[1]"');
  await expect(page.getByTestId('health')).toHaveCount(0);
  await refusal.getByRole('button', { name: 'Leave bad responses out' }).click();
  await expect(page.getByTestId('problems')).toContainText('1 response left out');
  await expect(page.getByTestId('problems')).toContainText('line 9');
  await expect(sequences(page)).toHaveText('11 of 11 responses, from broken.jsonl');
});

test('a column of probabilities is refused, and is a finding with its remedy all the same', async () => {
  const page = shared();
  const chances = lines(6, { logp_old: [0.4, 0.7], logp_new: [-1, -2] });
  await drop(page, 'chances.jsonl', [...lines(4), ...chances].join('\n'));
  const judged = page.getByTestId('judged');
  const finding = judged.getByTestId('finding-impossible-values');
  await expect(finding).toContainText('"logp_old" holds probabilities, not log-probs');
  await expect(finding).toContainText('in 6 responses of 10');
  await expect(finding).toContainText('log_softmax');
  await page.getByTestId('unreadable').getByRole('button', { name: 'Dismiss' }).click();
  await expect(judged).toHaveCount(0);
});

test(
  'a dropped file gives a health report, and then the experiments work on it',
  { tag: '@webgpu' },
  async ({ backend }) => {
    const page = shared();
    await expect(page.getByTestId('backend')).toContainText(
      backend === 'webgpu' ? 'kernels on WebGPU, float32' : 'kernels on CPU, float64',
    );
    await expect(page.getByText('Nothing leaves your machine')).toBeVisible();
    await drop(page, 'my-run.jsonl', lines(40).join('\n'));
    await expect(page.getByTestId('health')).toBeVisible();
    // s = exp(0.01) for every response: outside GSPO's band, inside GRPO's
    await expect(page.getByTestId('finding-clipping-always')).toContainText('100.00 %');
    await expect(sequences(page)).toHaveText('40 of 40 responses, from my-run.jsonl');

    await goTo(page, 'equivalence');
    await expect(figure(page, 'Three forms of s, one distribution')).toContainText('40 responses');
    const claims = page.locator('.claims > li');
    for (const form of ['Form 1', 'Form 2', 'Form 3']) {
      await expect(claims.filter({ hasText: form }).getByTestId('verdict')).toContainText('holds');
    }
    await goTo(page, 'clipping');
    await expect(figure(page, 'Map over both edges')).toContainText('keeps');
  },
);

test('a folder is read in the order of its steps, compressed files too; other files are not', async () => {
  const page = shared();
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-'));
  writeFileSync(join(folder, 'step10.jsonl'), lines(4).join('\n'));
  writeFileSync(join(folder, 'step2.jsonl.gz'), gzipSync(lines(8).join('\n')));
  writeFileSync(join(folder, 'notes.txt'), 'not rollouts');
  await page.getByLabel('Folder with rollouts').setInputFiles(folder);
  const files = page.getByRole('region', { name: 'Files' }).locator('tbody tr');
  await expect(files).toHaveCount(2);
  await expect(files.nth(0)).toContainText(/step2\.jsonl\.gz.*jsonl, gzip/);
  await expect(files.nth(1)).toContainText('step10.jsonl');
  await expect(sequences(page)).toHaveText('12 of 12 responses, from 2 files');
});

test('a truncated gzip says so and keeps the run before; its good lines can be had', async () => {
  const page = shared();
  await drop(page, 'first.jsonl', lines(8).join('\n'));
  await expect(sequences(page)).toHaveText('8 of 8 responses, from first.jsonl');
  const whole = gzipSync(lines(400).join('\n'));
  await picker(page).setInputFiles({
    name: 'cut.jsonl.gz',
    mimeType: 'application/gzip',
    buffer: whole.subarray(0, whole.length >> 1),
  });
  const refusal = page.getByTestId('unreadable');
  await expect(refusal).toContainText('cut short');
  await expect(sequences(page)).toHaveText('8 of 8 responses, from first.jsonl');
  const good = /([\d,]+) good lines came before that/.exec(await refusal.innerText())?.[1];
  await refusal.getByRole('button', { name: 'Leave bad responses out' }).click();
  await expect(sequences(page)).toHaveText(`${good} of ${good} responses, from cut.jsonl.gz`);
  await expect(page.getByTestId('problems')).toContainText('1 response left out');
});

test('HTML in tokens is shown as text and never runs', async () => {
  const page = shared();
  const hostile = '<img src=x onerror="document.title=1">';
  const line = {
    group: '<b>g</b>',
    logp_old: [-1, -1],
    logp_new: [-1.1, -1],
    reward: 1,
    tokens: [hostile, '<script>document.title=2</script>'],
  };
  await drop(page, '<i>name</i>.jsonl', JSON.stringify(line));
  await expect(page.getByTestId('report')).toContainText('<i>name</i>.jsonl');
  await goTo(page, 'equivalence');
  await page.getByRole('button', { name: 'see its tokens' }).click();
  await expect(page.getByRole('dialog')).toContainText('<script>document.title=2</script>');
  // The inspector makes blanks visible.
  await expect(page.getByRole('dialog')).toContainText(hostile.replaceAll(' ', '␣'));
  expect(await page.title()).toContain('GSPO');
  await expect(page.locator('img[src="x"]')).toHaveCount(0);
  await page.keyboard.press('Escape');
});

test('the example is one click away and labelled as such', async () => {
  const page = shared();
  await page.getByRole('button', { name: 'Load the example' }).click();
  await expect(sequences(page)).toHaveText(/384 of 384 responses, from example/);
  await expect(page.getByTestId('health')).toBeVisible();
});
