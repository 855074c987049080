import { chromium } from '@playwright/test';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const p = await (await b.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
p.on('pageerror', (e) => console.log('ERR', e.message));
p.on('console', (m) => m.type() === 'error' && console.log(m.text()));
await p.goto(
  'http://localhost:4331/#/equivalence?v=1&backend=wasm&source=synthetic&prompts=16&groupSize=8',
);
await p.waitForTimeout(3000);
await p.locator('[role="button"][data-bin]:not([data-count="0"])').last().focus();
await p.keyboard.press('Enter');
await p.waitForTimeout(1000);
console.log(await p.getByTestId('sequence-list').count());
await p.setViewportSize({ width: 390, height: 844 });
await p.emulateMedia({ colorScheme: 'dark' });
await p.waitForTimeout(500);
console.log(await p.getByTestId('sequence-list').count());
await p.setViewportSize({ width: 1280, height: 900 });
await p.waitForTimeout(500);
console.log(
  await p.getByTestId('sequence-list').count(),
  await p.evaluate(() => document.activeElement.outerHTML.slice(0, 100)),
);
await b.close();
