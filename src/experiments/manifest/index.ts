/**
 * Every page of the lab, in the order of the navigation, and the questions that group them: the one place where
 * titles and questions are written, and from which navigation, start page, addresses, the registry and the list
 * that Reproduce runs are derived. Imports nothing, so that the first download of a page may have it.
 *
 * To add an experiment: an entry here; the compiler then asks for its code (`registry.ts`), its page
 * (`app/experiments/pages.ts`), its choices (`PAGE_SETTINGS`) and what the page asks it with
 * (`EXPERIMENT_SETTINGS`, both in `src/link`).
 */
/** The lab's questions, in the order of the navigation and of the start page; every page belongs to one. */
export const GROUPS = {
  identity: {
    title: 'The identity',
    question: 'What is the weight that GSPO gives a whole response?',
  },
  law: {
    title: 'The law and its limits',
    question: 'How far does that weight stray from 1, and does a longer response steady it?',
  },
  trainers: {
    title: 'What trainers do with it',
    question: 'What do GSPO, GRPO and their rivals make of the same ratios?',
  },
  train: {
    title: 'Train',
    question: 'Which learns better from the same start, and how much does each clip?',
  },
  own: {
    title: 'Your own',
    question: 'What holds on your machine, and in your own rollouts?',
  },
} as const;
export type GroupId = keyof typeof GROUPS;
export const GROUP_IDS = Object.keys(GROUPS) as GroupId[];

interface Entry {
  /** in the navigation and the title of the window */
  title: string;
  /** the heading of the page */
  question: string;
  /** null: about the lab, not one of its questions */
  group: GroupId | null;
}

interface ExperimentEntry extends Entry {
  /** whether Reproduce runs it; a sentence says why not */
  reproduce: true | string;
}

export const EXPERIMENT_ENTRIES = {
  equivalence: {
    title: 'Equivalence',
    question: 'Are the three forms of GSPO’s sequence weight one number?',
    group: 'identity',
    reproduce: true,
  },
  entropy: {
    title: 'Entropy',
    question: 'What does the policy’s own entropy do, and does a covariance foretell it?',
    group: 'identity',
    reproduce: 'The law is not the paper’s: its page puts it to the test on the pair in view.',
  },
  variance: {
    title: 'Variance',
    question: 'Does the variance of the log weight fall like one over the length?',
    group: 'law',
    reproduce: true,
  },
  dependence: {
    title: 'Dependence',
    question: 'Are token log-ratios independent, within a response and between responses?',
    group: 'law',
    reproduce: true,
  },
  weights: {
    title: 'Weights',
    question: 'How heavy are the tails of the weights, and when is each usable?',
    group: 'law',
    reproduce: true,
  },
  length: {
    title: 'Length',
    question: 'Does a short response bias its perplexity, and does the bias cancel in s?',
    group: 'law',
    reproduce: true,
  },
  clipping: {
    title: 'Clipping',
    question: 'How much does each objective clip, and does the spread of the ratios predict it?',
    group: 'trainers',
    reproduce:
      'The paper’s clip shares are those of training: the race’s claims put them to the test, step by step.',
  },
  gradient: {
    title: 'Gradient',
    question: 'How much gradient does each token and each response get under each objective?',
    group: 'trainers',
    reproduce: 'Its claims follow from the objectives, whatever the policies: the tests hold them.',
  },
  precision: {
    title: 'Precision',
    question: 'How many digits do log-probs need before the clip decision is right?',
    group: 'trainers',
    reproduce: 'How log-probs should be stored is the lab’s own question, not the paper’s.',
  },
  objectives: {
    title: 'Objectives',
    question: 'What does each objective make of the same rollouts, in TRL and in verl?',
    group: 'trainers',
    reproduce: 'It compares two libraries; the paper says nothing of either.',
  },
  experts: {
    title: 'Experts',
    question: 'What does it do to the ratios that tokens go to other experts?',
    group: 'trainers',
    reproduce: 'It runs on the pairs of policies with experts; dense ones have no routes.',
  },
  mismatch: {
    title: 'Mismatch',
    question: 'What does it cost that another engine drew the tokens?',
    group: 'trainers',
    reproduce:
      'In its runs one engine samples and scores; a run whose sampler has other arithmetic is a link of its own.',
  },
  numerics: {
    title: 'Arithmetic',
    question: 'Same model, other arithmetic: what does GSPO make of it?',
    group: 'own',
    reproduce: 'It wants a model of your own in two arithmetics; the shipped policies have one.',
  },
} as const satisfies Record<string, ExperimentEntry>;

/** Pages that measure nothing of the run in view. */
const OTHER_ENTRIES = {
  train: {
    title: 'Train',
    question: 'How do GSPO and its rivals learn, from the same start?',
    group: 'train',
  },
  stability: {
    title: 'Stability',
    question: 'Do experts unsettle training, and does GSPO steady it?',
    group: 'train',
  },
  data: { title: 'Data', question: 'What is in your own rollouts?', group: 'own' },
  reproduce: {
    title: 'Reproduce',
    question: 'What of the paper holds on a real policy?',
    group: 'own',
  },
  lessons: {
    title: 'Lessons',
    question: 'What do you expect, and what is measured?',
    group: 'own',
  },
  class: {
    title: 'Class',
    question: 'What do the runs of a whole class say together?',
    group: 'own',
  },
  device: {
    title: 'Device',
    question: 'Does this device compute what it should, and how fast?',
    group: 'own',
  },
  start: { title: 'Start', question: 'What is GSPO, and does it do what it says?', group: null },
  glossary: { title: 'Glossary', question: 'What do the words mean?', group: null },
} as const satisfies Record<string, Entry>;

/** Pages that show nothing of the run: where one of them is opened first, it waits until another is. */
export const WITHOUT_RUN: ReadonlySet<PageId> = new Set([
  'train',
  'reproduce',
  'lessons',
  'class',
  'device',
  'glossary',
]);

/** Where an address without a page leads. */
export const FIRST_PAGE = 'start';

export type ExperimentId = keyof typeof EXPERIMENT_ENTRIES;
export const EXPERIMENT_IDS = Object.keys(EXPERIMENT_ENTRIES) as [ExperimentId, ...ExperimentId[]];

export const PAGES = { ...EXPERIMENT_ENTRIES, ...OTHER_ENTRIES };
/** The address of a page is `#/ID`. */
export type PageId = keyof typeof PAGES;
export const PAGE_IDS = Object.keys(PAGES) as [PageId, ...PageId[]];

export const pagesOf = (group: GroupId): PageId[] =>
  PAGE_IDS.filter((id) => PAGES[id].group === group);

export const isPageId = (name: string): name is PageId => Object.hasOwn(PAGES, name);
export const isExperimentId = (name: string): name is ExperimentId =>
  Object.hasOwn(EXPERIMENT_ENTRIES, name);

/** What Reproduce runs, in the order of the ledger. */
export const REPRODUCED = EXPERIMENT_IDS.filter((id) => EXPERIMENT_ENTRIES[id].reproduce === true);

/** Who claims what is put to the test. */
export const SOURCES = {
  liu: { title: 'The paper', name: 'Liu (2025), arXiv:2510.23142' },
  gspo: { title: 'GSPO’s paper', name: 'Zheng et al. (2025), arXiv:2507.18071' },
  library: { title: 'Libraries', name: 'TRL and verl, documentation' },
  lab: { title: 'The lab’s own', name: 'this lab' },
} as const;
export type SourceId = keyof typeof SOURCES;
export const SOURCE_IDS = Object.keys(SOURCES) as SourceId[];
