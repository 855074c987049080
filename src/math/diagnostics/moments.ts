/**
 * Number, sum, sum of squares and range of values, exact however they are split. Contract: `merge` of parts equals
 * one pass to the last digit; `toJSON` and `momentsFrom` cross processes.
 */
import { ExactSum, type NotFinite } from '../summation';

export type MomentsJson = [
  n: number,
  least: number | null,
  most: number | null,
  sum: (number | NotFinite)[],
  squares: (number | NotFinite)[],
];

export class Moments {
  n = 0;
  private least = Infinity;
  private most = -Infinity;
  private readonly total = new ExactSum();
  private readonly squares = new ExactSum();

  add(x: number): void {
    this.n++;
    this.total.add(x);
    this.squares.add(x * x);
    if (x < this.least) this.least = x;
    if (x > this.most) this.most = x;
  }

  addAll(values: Iterable<number>): void {
    for (const x of values) this.add(x);
  }

  merge(other: Moments): void {
    this.n += other.n;
    this.least = Math.min(this.least, other.least);
    this.most = Math.max(this.most, other.most);
    this.total.merge(other.total);
    this.squares.merge(other.squares);
  }

  get sum(): number {
    return this.total.value;
  }

  get sumOfSquares(): number {
    return this.squares.value;
  }

  /** 0 of nothing, as are the extremes */
  get mean(): number {
    return this.n === 0 ? 0 : this.sum / this.n;
  }

  get min(): number {
    return this.n === 0 ? 0 : this.least;
  }

  get max(): number {
    return this.n === 0 ? 0 : this.most;
  }

  /** Unbiased; 0 of fewer than two. */
  get sd(): number {
    if (this.n < 2) return 0;
    return Math.sqrt(Math.max(0, this.sumOfSquares - this.sum * this.mean) / (this.n - 1));
  }

  toJSON(): MomentsJson {
    const { n, least, most } = this;
    return n === 0
      ? [0, null, null, [], []]
      : [n, least, most, this.total.toJSON(), this.squares.toJSON()];
  }

  static from([n, least, most, sum, squares]: MomentsJson): Moments {
    const moments = new Moments();
    moments.n = n;
    moments.least = least ?? Infinity;
    moments.most = most ?? -Infinity;
    moments.total.merge(ExactSum.from(sum));
    moments.squares.merge(ExactSum.from(squares));
    return moments;
  }
}

/** Moments by name, of which a batch fills some or all. */
export class NamedMoments<Name extends string> {
  private readonly all: ReadonlyMap<Name, Moments>;

  constructor(names: readonly Name[]) {
    this.all = new Map(names.map((name) => [name, new Moments()]));
  }

  of(name: Name): Moments {
    const found = this.all.get(name);
    if (!found) throw new RangeError(`There are no moments "${name}".`);
    return found;
  }

  merge(other: NamedMoments<Name>): void {
    for (const [name, moments] of this.all) moments.merge(other.of(name));
  }

  toJSON(): Record<string, MomentsJson> {
    return Object.fromEntries([...this.all].map(([name, moments]) => [name, moments.toJSON()]));
  }

  /** @throws RangeError where a name is missing */
  mergeJson(json: Record<string, MomentsJson>): void {
    for (const [name, moments] of this.all) {
      const own = json[name];
      if (own === undefined) throw new RangeError(`"${name}" is missing.`);
      moments.merge(Moments.from(own));
    }
  }
}
