/**
 * The files of a class: which may be pooled, which not and why, and what is true of their claims. Contract: pure; order of
 * the files does not decide which settings are the class's: those of most of them are; every refusal names its file.
 */
import { CLAIM_FAMILIES } from '../experiments/claims';
import { isExperimentId } from '../experiments/manifest';
import { onScale, type IntervalDeclaration } from '../experiments/shared/claim';
import type { Link } from '../link/link';
import { pageSettings } from '../link/pages';
import { runDifferences, type RunSettings } from '../settings/run';
import { readClassFile, type ClassFile } from './file';
import { pool, type Pool } from './pool';

export interface Handed {
  /** of the file, or where the text came from */
  name: string;
  text: string;
}

export interface Refusal {
  name: string;
  /** a sentence */
  why: string;
}

export interface Gathered {
  /** null: none could be read */
  link: Link | null;
  /** by seat */
  files: ClassFile[];
  refused: Refusal[];
}

type Named = { name: string; file: ClassFile; link: Link };

/** The value that most have; the first of those that tie. */
function most<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[T, number] | undefined>(
    (best, one) => (best === undefined || one[1] > best[1] ? one : best),
    undefined,
  )?.[0];
}

/** "σ 0.1 instead of 0.2, seed 5 instead of 1": of the file, instead of the class's. */
function differences(own: Link, others: Link): string {
  if (own.page !== others.page) return `page ${own.page} instead of ${others.page}`;
  const run = runDifferences(others.run, own.run);
  const page = [...pageSettings(own.page).values()].flatMap(({ key, label, write, show }) => {
    const [before, after] = [others.view[key], own.view[key]];
    return write(before) === write(after)
      ? []
      : [{ name: label.toLowerCase(), before: show(before), after: show(after) }];
  });
  return [...run, ...page]
    .map(({ name, before, after }) => `${name} ${after} instead of ${before}`)
    .join(', ');
}

export function gather(handed: readonly Handed[]): Gathered {
  const refused: Refusal[] = [];
  const read: Named[] = [];
  for (const { name, text } of handed) {
    const one = readClassFile(text);
    if ('refused' in one) refused.push({ name, why: one.refused });
    else read.push({ name, ...one });
  }
  const shared = most(read.map(({ file }) => file.link));
  const link = read.find(({ file }) => file.link === shared)?.link ?? null;
  const same = read.filter(({ file }) => file.link === shared);
  const claims = most(same.map(({ file }) => file.claims));
  const policies = most(same.map(({ file }) => JSON.stringify(file.policies)));
  const kept: Named[] = [];
  const refuse = (name: string, why: string) => refused.push({ name, why });
  for (const one of read) {
    const { name, file } = one;
    const twin = kept.find(({ file: other }) => other.hash === file.hash);
    const neighbour = kept.find(({ file: other }) => other.seat === file.seat);
    const copy = kept.find(({ file: other }) => String(other.rollouts) === String(file.rollouts));
    if (file.link !== shared && link !== null) {
      refuse(name, `Other settings than the class’s: ${differences(one.link, link)}.`);
    } else if (file.claims !== claims) {
      refuse(
        name,
        'Judged by another version of the claims than the others: the lab is of another day there.',
      );
    } else if (JSON.stringify(file.policies) !== policies) {
      refuse(name, 'Run on other policy files than the others, under the same name.');
    } else if (twin) {
      refuse(name, `The same file as ${twin.name}.`);
    } else if (neighbour) {
      refuse(name, `Seat ${file.seat} is there already, from ${neighbour.name}.`);
    } else if (copy) {
      refuse(
        name,
        `The same responses as those of seat ${copy.file.seat}: a seat’s prompts are its own.`,
      );
    } else kept.push(one);
  }
  const files = kept.map(({ file }) => file).sort((a, b) => a.seat - b.seat);
  return { link, files, refused };
}

/** The page's claims that have an interval. */
export function classClaims({ page }: Link): readonly IntervalDeclaration[] {
  if (!isExperimentId(page)) return [];
  return CLAIM_FAMILIES[page].filter((own) => own.kind === 'interval');
}

/**
 * What is true of a claim, where the source says so: tokens that are independent, alike at every position and in every
 * prompt obey the laws of Variance and Dependence exactly (`calibration/scenarios`, "clean").
 * @returns on the claim's own scale; null: not known
 */
export function truthOf(
  { id, prediction }: IntervalDeclaration,
  { source }: RunSettings,
): number | null {
  if (source.kind !== 'synthetic' || source.sigma === 0) return null;
  const clean = source.rho === 0 && source.tau === 0 && source.drift === 1;
  return clean && /^(variance|dependence)\./.test(id) ? prediction : null;
}

export interface ClassClaim {
  declaration: IntervalDeclaration;
  /** on the claim's own scale; null: not known */
  truth: number | null;
  /** on the claim's own scale, all of it */
  pool: Pool;
  /** of `pool.seats`, in their order: the page's own interval, valid at every look */
  page: ([number, number] | null)[];
}

/** One claim of a class. @throws RangeError where the page has no such claim */
export function classClaim(id: string, files: readonly ClassFile[], link: Link): ClassClaim {
  const declaration = classClaims(link).find((own) => own.id === id);
  if (declaration === undefined) throw new RangeError(`The page has no claim "${id}".`);
  const scale = onScale(declaration);
  const own = files.flatMap(({ seat, estimates }) =>
    estimates.filter((one) => one.id === id).map((one) => ({ ...one, seat })),
  );
  const size = own[0]?.size ?? 1;
  const truth = truthOf(declaration, link.run);
  const found = pool(own, truth === null ? null : scale.to(truth, size));
  const back = (x: number) => scale.back(x, size);
  const ends = ([low, high]: readonly [number, number]): [number, number] => [
    back(low),
    back(high),
  ];
  const { pooled } = found;
  return {
    declaration,
    truth,
    pool: {
      ...found,
      seats: found.seats.map((one) => ({
        ...one,
        estimate: back(one.estimate),
        interval: one.interval && ends(one.interval),
      })),
      pooled: pooled && {
        ...pooled,
        estimate: back(pooled.estimate),
        interval: ends(pooled.interval),
      },
    },
    page: found.seats.map(({ seat }) => own.find((one) => one.seat === seat)?.interval ?? null),
  };
}
