/** The check of a device, on this one. */
import { expect } from '@playwright/test';
import { test } from './lab';

test(
  'the check of a device compares and times each backend, and the report can be taken along',
  { tag: '@webgpu' },
  async ({ page, backend }) => {
    await page.goto('./#/device');
    await page.getByRole('button', { name: 'Check this device' }).click();
    await expect(page.getByTestId('device-status')).toContainText('…');
    await expect(page.getByTestId('device-status')).toContainText('Checked in');
    await expect(page.getByTestId('device-finding')).toContainText('what');
    for (const one of backend === 'webgpu' ? ['wasm', 'webgpu'] : ['wasm']) {
      await expect(page.getByTestId(`device-${one}`)).toHaveAttribute('data-sound', 'true');
    }
    await expect(page.getByRole('region', { name: 'Speeds' })).toContainText('WebAssembly');
    const report = await page.getByRole('textbox', { name: 'Report' }).inputValue();
    expect(report).toContain('GSPO Lab');
    expect(report).toMatch(/log-probs of the policy, against float64: \d/);
    if (backend === 'webgpu') expect(report).toContain('responses of 4 sampled: none differs');
    else expect(report).toMatch(/GPU: .*WebGPU/);
  },
);
