// Strict TypeScript, React's rules, and the borders between folders (README, "How it is laid out").
import boundaries from 'eslint-plugin-boundaries';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Which folders of src/ a folder may import from, itself left out. */
const MAY_IMPORT = {
  math: [],
  gpu: ['math'],
  tasks: ['math'],
  settings: ['math'],
  // controls that break a prediction, as data
  breaks: ['settings', 'experiments', 'manifest'],
  link: ['settings', 'experiments', 'manifest', 'math'],
  // lessons of a class, as data
  lessons: ['settings', 'experiments', 'manifest', 'link', 'math'],
  // runs of a class, as files, and what they say together
  class: ['settings', 'experiments', 'shared-measurement', 'manifest', 'link', 'math'],
  policy: ['gpu', 'math'],
  rollouts: ['policy', 'tasks', 'settings', 'math'],
  manifest: [],
  // what an experiment is (types), and the registry of them all
  experiments: [
    'manifest',
    'measurement',
    'race',
    'shared-measurement',
    'rollouts',
    'settings',
    'math',
  ],
  'shared-measurement': ['experiments', 'manifest', 'rollouts', 'settings', 'math'],
  // src/experiments/NAME: none imports another
  measurement: ['experiments', 'shared-measurement', 'rollouts', 'settings', 'math'],
  // what is said of training: races that ship, and the stability study
  race: ['experiments', 'shared-measurement', 'training', 'settings', 'math'],
  export: ['rollouts', 'settings', 'math'],
  store: ['export', 'policy', 'rollouts', 'training', 'settings', 'math'],
  training: ['policy', 'rollouts', 'tasks', 'settings', 'gpu', 'math'],
  calibration: ['experiments', 'measurement', 'shared-measurement', 'rollouts', 'settings', 'math'],
  engine: [
    'math',
    'gpu',
    'policy',
    'tasks',
    'settings',
    'link',
    'rollouts',
    'experiments',
    'shared-measurement',
    'race',
    'manifest',
    'export',
    'store',
    'training',
    'class',
  ],
};

const FOLDERS = Object.keys(MAY_IMPORT);

/** The same of app/: no folder imports one above it, no experiment imports another, only the shell knows the pages' code. */
const APP_MAY_IMPORT = {
  language: [],
  format: ['language'],
  charts: ['format', 'language'],
  state: ['language'],
  models: ['format', 'state', 'language'],
  setup: ['format', 'models', 'state', 'language'],
  inspector: ['charts', 'format', 'state', 'language'],
  runs: ['charts', 'format', 'inspector', 'state', 'language'],
  figures: ['charts', 'format', 'runs', 'state', 'language'],
  link: ['format', 'models', 'runs', 'state', 'language'],
  lessons: ['charts', 'figures', 'format', 'state', 'language'],
  run: ['format', 'models', 'runs', 'state', 'language'],
  page: ['charts', 'figures', 'format', 'lessons', 'runs', 'state', 'language'],
  experiment: [
    'charts',
    'figures',
    'format',
    'lessons',
    'link',
    'page',
    'runs',
    'setup',
    'state',
    'language',
  ],
  pages: ['experiment'],
  shell: [
    'inspector',
    'lessons',
    'link',
    'models',
    'pages',
    'run',
    'runs',
    'setup',
    'state',
    'language',
  ],
};
const APP_FOLDERS = Object.keys(APP_MAY_IMPORT);

const folder = (types) => ({ to: { element: { types: { anyOf: types } } } });

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'test-results/', 'playwright-report/'] },
  tseslint.configs.strict,
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      // Where an index may read undefined (tsconfig.app.json), `as number` reads better than `!`.
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      // Template literals print numbers all over a lab; that is what they are for.
      '@typescript-eslint/restrict-template-expressions': 'off',
      eqeqeq: 'error',
      'no-console': 'off',
    },
  },
  {
    files: ['app/**/*.{ts,tsx}', 'src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.test.tsx', '**/*.suite.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { node: { extensions: ['.ts', '.tsx'] } },
      'boundaries/elements': [
        { type: 'manifest', pattern: 'src/experiments/manifest' },
        { type: 'race', pattern: 'src/experiments/{race,stability}' },
        { type: 'shared-measurement', pattern: 'src/experiments/shared' },
        { type: 'measurement', pattern: 'src/experiments/*' },
        ...FOLDERS.map((name) => ({ type: name, pattern: `src/${name}` })),
        ...APP_FOLDERS.filter((name) => name !== 'experiment' && name !== 'pages').map((name) => ({
          type: name,
          pattern: `app/${name}`,
        })),
        { type: 'experiment', pattern: 'app/experiments/*' },
        { type: 'pages', pattern: 'app/experiments' },
        { type: 'app', pattern: 'app' },
      ],
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            ...Object.entries(MAY_IMPORT).map(([from, to]) => ({
              from: { element: { type: from } },
              allow: folder(from === 'measurement' ? to : [from, ...to]),
            })),
            ...Object.entries(APP_MAY_IMPORT).map(([from, to]) => ({
              from: { element: { type: from } },
              // Types of any folder of src/; values only of a few (see below).
              allow: folder([...(from === 'experiment' ? [] : [from]), ...to, 'app', ...FOLDERS]),
            })),
            {
              from: { element: { type: 'app' } },
              allow: folder(['app', ...APP_FOLDERS, ...FOLDERS]),
            },
          ],
        },
      ],
    },
  },
  {
    files: ['app/**/*.{ts,tsx}'],
    ignores: ['**/*.test.ts', '**/*.test.tsx'],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              // Stamps and CSV lines are texts of links and hashes, and the page writes files too.
              // The list of objectives is data: names, colours, what each clips.
              // What of a folder is read is chosen where the folder is walked.
              regex:
                '/src/(?!breaks$|math/objectives/registry$|engine/(?:lab|trainer)/client$|engine/headless/reproduce$|engine/stamp$|message$|model-ref$|export/(?:csv|stamp)$|class/|lessons/|link/|settings/|experiments/(?:manifest|stability)$|rollouts/file/folder$)',
              allowTypeImports: true,
              message: 'The app knows the engine by its client and its types, nothing else.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['react', 'react-dom', 'node:*'], message: 'src/ has no DOM and no Node.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/experiments/*/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./)+(experiments/)?registry$',
              message: 'The registry knows the experiments, not they the registry.',
            },
          ],
        },
      ],
    },
  },
  { files: ['src/**/*.test.ts'], rules: { 'no-restricted-imports': 'off' } },
);
