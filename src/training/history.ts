/**
 * Rollouts of past steps within a bounded memory. Contract: the latest is always there; where they take more
 * than `budget` bytes, those go whose neighbours are nearest, so that a long run stays covered evenly.
 */
interface Entry<T> {
  step: number;
  value: T;
  bytes: number;
}

export class StepHistory<T> {
  private entries: Entry<T>[] = [];

  /** @param sizeOf bytes that a value takes */
  constructor(
    private readonly sizeOf: (value: T) => number,
    private readonly budget = 128e6,
  ) {}

  /** A step that is taken again replaces what came at and after it. */
  add(step: number, value: T): void {
    this.entries = this.entries.filter((entry) => entry.step < step);
    this.entries.push({ step, value, bytes: this.sizeOf(value) });
    while (this.bytes > this.budget && this.entries.length > 1) {
      this.entries.splice(this.leastMissed(), 1);
    }
  }

  get(step: number): T | undefined {
    return this.entries.find((entry) => entry.step === step)?.value;
  }

  get steps(): number[] {
    return this.entries.map(({ step }) => step);
  }

  /** The one between the first and the latest whose going leaves the smallest gap; else the first. */
  private leastMissed(): number {
    let best = 0;
    let least = Infinity;
    for (let i = 1; i < this.entries.length - 1; i++) {
      const gap = this.entries[i + 1].step - this.entries[i - 1].step;
      if (gap < least) [best, least] = [i, gap];
    }
    return best;
  }

  private get bytes(): number {
    return this.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
