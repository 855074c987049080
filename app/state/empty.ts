/** A lab in which nothing has happened yet. */
import type { Draft } from './draft';
import type { LabState } from './lab-state';

export const emptyLab = (draft: Draft): LabState => ({
  opening: { status: 'opening' },
  draft,
  own: [],
  run: null,
  reading: null,
  measurements: {},
  refusals: {},
  inspection: null,
  keptRuns: null,
  runsOpen: false,
  cutOff: null,
  undo: null,
  overlays: [],
  overlaid: {},
  notice: null,
});
