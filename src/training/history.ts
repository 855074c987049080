/**
 * Rollouts of past steps within a bounded memory. Contract: the latest is always there; when there are
 * more than `most`, every second of the older half is let go, so that a long run stays covered evenly.
 */
export class StepHistory<T> {
  private entries: { step: number; value: T }[] = [];

  constructor(private readonly most = 64) {}

  add(step: number, value: T): void {
    this.entries = [...this.entries.filter((entry) => entry.step < step), { step, value }];
    if (this.entries.length <= this.most) return;
    const half = Math.floor(this.entries.length / 2);
    this.entries = this.entries.filter((_, i) => i >= half || i % 2 === 0);
  }

  get(step: number): T | undefined {
    return this.entries.find((entry) => entry.step === step)?.value;
  }

  get steps(): number[] {
    return this.entries.map(({ step }) => step);
  }
}
