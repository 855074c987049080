/**
 * A lesson as data: steps of text, a share link of the lab, a question, and the claim of the linked page that the
 * answer is held against. Shipped lessons and a teacher's own file pass the same gate.
 *
 * Contract: a lesson is hostile until `readLesson` has passed it. Texts are plain (the paper's symbols in ASCII, as
 * `Prose` reads them) and never become markup; a link names a page of this lab and is understood whole by `openLink`;
 * names that the schema does not know are refused. Nothing here throws, whatever the file.
 */
import * as v from 'valibot';
import { isExperimentId, isPageId, type ExperimentId } from '../experiments/manifest';
import { openLink, type Link } from '../link/link';
import { isOtherCheck, otherCheck } from './checks';
import { CURVE_IDS, curveOf } from './curves';

/** characters of a file */
export const MAX_LESSON_LENGTH = 200_000;
export const MAX_STEPS = 40;

/** Controls of a text would only disguise what it says: none but the line break, and nothing that turns the direction. */
const PLAIN = /^(?:[^\p{Cc}\p{Cf}\p{Co}\p{Cs}]|\n)*$/u;

const plain = (most: number) =>
  v.pipe(
    v.string(),
    v.regex(PLAIN, 'must be plain text, without control characters'),
    v.check((text) => text.trim() !== '', 'must not be empty'),
    v.maxLength(most, `must have at most ${most} characters`),
  );

const minutes = v.pipe(
  v.number('must be a number of minutes'),
  v.minValue(0.25, 'must be at least a quarter of a minute'),
  v.maxValue(90, 'must be at most 90 minutes'),
);
const finite = v.pipe(v.number('must be a number'), v.finite('must be a finite number'));

/** Right where the measured value is at least `from` and below `to`; a missing end is open. */
const optionSchema = v.strictObject({
  text: plain(200),
  from: v.optional(finite),
  to: v.optional(finite),
});
export type Option = v.InferOutput<typeof optionSchema>;

/** Both ends of an axis. */
const domain = v.pipe(
  v.tuple([finite, finite], 'must be the two ends of an axis'),
  v.check(([low, high]) => low < high, 'must be two ends of an axis, the lower one first'),
);

const askSchema = v.variant(
  'kind',
  [
    v.strictObject({
      kind: v.literal('number'),
      question: plain(600),
      unit: v.optional(plain(20)),
    }),
    v.strictObject({
      kind: v.literal('choice'),
      question: plain(600),
      options: v.pipe(
        v.array(optionSchema),
        v.minLength(2, 'must have at least two options'),
        v.maxLength(8, 'must have at most eight options'),
      ),
    }),
    v.strictObject({
      kind: v.literal('draw'),
      question: plain(600),
      /** what is drawn, and then laid over the drawing */
      curve: v.picklist(CURVE_IDS, `must be one of ${CURVE_IDS.join(', ')}`),
      x: domain,
      y: domain,
    }),
  ],
  'must be "number", "choice" or "draw"',
);
export type Ask = v.InferOutput<typeof askSchema>;

const stepSchema = v.strictObject({
  text: plain(2000),
  /** as the lab's own "Share" writes it: `#/variance?v=3&...` */
  link: v.string('must be a share link of this lab, a text that begins with #/'),
  /** the figure that comes into view with the page, by its name in links */
  focus: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,80}$/, 'must be the name of a figure, as in links')),
  ),
  ask: v.optional(askSchema),
  /** whose measured value, with its interval, the answer is held against: the id of a claim of the linked page */
  check: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[a-z]+\.[a-z-]{1,60}$/, 'must be the id of a claim, such as "variance.slope"'),
    ),
  ),
  /** measured when the lesson was written, for the teacher's notes */
  found: v.optional(finite),
  /** shown once the question is answered and the measurement is there */
  after: v.optional(plain(2000)),
  minutes,
});

const sentences = (most: number) =>
  v.pipe(
    v.array(plain(400)),
    v.minLength(1, 'must have at least one sentence'),
    v.maxLength(most, `must have at most ${most} sentences`),
  );

const lessonSchema = v.strictObject({
  id: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9-]{1,60}$/, 'must be small letters, digits and hyphens, at most 60'),
  ),
  title: plain(120),
  level: v.picklist([1, 2, 3], 'must be 1, 2 or 3'),
  minutes,
  /** for the teacher; answers and timing are the steps' */
  notes: v.optional(v.strictObject({ aims: sentences(8), misconceptions: sentences(12) })),
  steps: v.pipe(
    v.array(stepSchema),
    v.minLength(1, 'must have at least one step'),
    v.maxLength(MAX_STEPS, `must have at most ${MAX_STEPS} steps`),
  ),
});

export type LessonStep = v.InferOutput<typeof stepSchema> & {
  /** `link`, opened */
  opened: Link;
};
export type Lesson = Omit<v.InferOutput<typeof lessonSchema>, 'steps'> & { steps: LessonStep[] };

export type LessonReading = { lesson: Lesson; refused: null } | { lesson: null; refused: string };

const refuse = (refused: string): LessonReading => ({ lesson: null, refused });

/** A hostile text within a sentence of ours: short, and on one line. */
function quoted(text: string): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ');
  return `"${line.length > 60 ? `${line.slice(0, 60)}…` : line}"`;
}

/** @param text a whole file. @returns the lesson, or one sentence that says where it is none, and what to do */
export function readLesson(text: string): LessonReading {
  if (text.length > MAX_LESSON_LENGTH) {
    return refuse(
      `A lesson has at most ${MAX_LESSON_LENGTH / 1000} kB; this file has ${Math.ceil(text.length / 1000)} kB.`,
    );
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return refuse('This is no lesson: the file is not JSON. A lesson of the lab shows the form.');
  }
  const parsed = v.safeParse(lessonSchema, data, { abortEarly: true });
  if (!parsed.success) return refuse(`This is no lesson: ${issueWords(parsed.issues[0])}`);
  const steps: LessonStep[] = [];
  for (const [i, step] of parsed.output.steps.entries()) {
    const where = `Step ${i + 1} of the lesson`;
    const opened = linkOf(step.link);
    if (typeof opened === 'string') return refuse(`${where} ${opened}`);
    const wrong = checkProblem(step, opened);
    if (wrong !== null) return refuse(`${where} ${wrong}`);
    steps.push({ ...step, opened });
  }
  return { lesson: { ...parsed.output, steps }, refused: null };
}

/** "steps, 3, ask, question: must ..." as a person counts. */
function issueWords(issue: v.BaseIssue<unknown>): string {
  const path = issue.path ?? [];
  const where = path.map(({ key }) =>
    typeof key === 'number' ? `${key + 1}` : quoted(String(key)).slice(1, -1),
  );
  const place = where.length === 0 ? 'the file' : where.join(' ');
  const { type, expected } = issue;
  if (type === 'strict_object' && expected === 'never') {
    return `it has ${quoted(where.at(-1) ?? '')}${where.length > 1 ? ` at ${where.slice(0, -1).join(' ')}` : ''}, which lessons do not know.`;
  }
  if (type === 'strict_object' && issue.received === 'undefined') return `${place} is missing.`;
  const said = issue.message.startsWith('must')
    ? issue.message
    : `must be ${expected ?? 'otherwise'}, and is ${quoted(issue.received)}`;
  return `${place} ${said}.`;
}

/** The opened link, or what is wrong with it. */
function linkOf(link: string): Link | string {
  const page = /^#\/([a-z-]+)(?:\?|$)/.exec(link)?.[1];
  if (page === undefined) {
    return `has the link ${quoted(link)}, which does not lead into this lab. Links of a lesson begin with #/ and the name of a page.`;
  }
  if (!isPageId(page)) return `leads to a page ${quoted(page)}, which this lab does not have.`;
  const { link: opened, problems } = openLink(link);
  if (problems.length > 0) return `has a link that is not understood whole: ${problems.join(' ')}`;
  return opened;
}

/** The page of a step whose measurement its answer is held against. */
export function checkedPage({ ask, check, opened }: LessonStep): ExperimentId | null {
  const checked = check !== undefined || ask?.kind === 'draw';
  return checked && isExperimentId(opened.page) ? opened.page : null;
}

function checkProblem(
  { ask, check }: v.InferOutput<typeof stepSchema>,
  { page }: Link,
): string | null {
  if (check !== undefined) {
    if (ask === undefined) return `checks ${quoted(check)} but asks nothing.`;
    const there = isOtherCheck(check) ? otherCheck(check).page === page : isExperimentId(page);
    if (!there || !check.startsWith(`${page}.`)) {
      return `checks the claim ${quoted(check)}, but its link leads to the page ${quoted(page)}, which does not measure it.`;
    }
  }
  if (ask?.kind === 'draw') return drawProblem(ask, check, page);
  if (ask?.kind !== 'choice') return null;
  const ranges = ask.options.filter(({ from, to }) => from !== undefined || to !== undefined);
  if (check === undefined) {
    return ranges.length === 0 ? null : 'says when an option is right, but checks no claim.';
  }
  if (ranges.length === 0)
    return 'checks a claim, but no option says from or to which value it is right.';
  const ends = ranges
    .map(({ from = -Infinity, to = Infinity }) => ({ from, to }))
    .sort((a, b) => a.from - b.from);
  if (ends.some(({ from, to }) => from >= to)) return 'has an option whose range is empty.';
  const over = ends.some(({ from }, i) => i > 0 && from < (ends[i - 1]?.to ?? from));
  return over ? 'has two options that would be right at once.' : null;
}

function drawProblem(
  { curve, x, y }: Extract<Ask, { kind: 'draw' }>,
  check: string | undefined,
  page: Link['page'],
): string | null {
  const declared = curveOf(curve);
  if (check !== undefined)
    return `asks for a drawing, which is checked by its curve; it must have no "check".`;
  if (declared.page !== page) {
    return `asks for the curve ${quoted(curve)}, but its link leads to the page ${quoted(page)}, which does not measure it.`;
  }
  for (const [name, [low], { kind }] of [
    ['x', x, declared.x],
    ['y', y, declared.y],
  ] as const) {
    if (kind === 'log' && low <= 0)
      return `has an axis ${name} from ${low}, but it is logarithmic and begins above 0.`;
  }
  return null;
}
