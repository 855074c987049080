import { chromium } from '@playwright/test';
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const p = await b.newPage();
await p.addInitScript(() => {
  window.lts = [];
  new PerformanceObserver((l) => {
    for (const e of l.getEntries())
      window.lts.push([Math.round(e.startTime), Math.round(e.duration)]);
  }).observe({ type: 'longtask', buffered: true });
});
const t0 = Date.now();
await p.goto('http://localhost:4502/#/equivalence?v=1&backend=wasm');
const marks = {};
for (;;) {
  const [ph, sq, cap] = await p.evaluate(() => [
    document.querySelector('[data-testid=phase]')?.textContent,
    document.querySelector('[data-testid=sequences]')?.textContent,
    [...document.querySelectorAll('figure')]
      .map((f) => f.textContent)
      .find((t) => t.includes('Three forms'))
      ?.match(/\d+ responses/)?.[0],
  ]);
  const k = ph + ' ' + sq;
  if (!(k in marks)) {
    marks[k] = Date.now() - t0;
    console.log(Date.now() - t0, ph, sq, cap);
  }
  if (ph === 'Finished') break;
  if (Date.now() - t0 > 60000) break;
  await p.waitForTimeout(30);
}
console.log(JSON.stringify(await p.evaluate(() => window.lts)));
await b.close();
