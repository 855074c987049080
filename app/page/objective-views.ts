/** Objectives and libraries as charts show them: one name and one colour each, on every page. */
import { epsilonText, objective, OBJECTIVES } from '../../src/math/objectives/registry';
import type { ObjectiveId } from '../../src/math/objectives/registry';
import type { Library } from '../../src/math/objectives/types';

export { epsilonText };

export interface ObjectiveView {
  name: string;
  /** CSS custom property */
  colour: string;
}

const colourOf = (id: ObjectiveId) => `--series-${id.replaceAll('_', '-')}`;

export function objectiveView(id: ObjectiveId): ObjectiveView {
  return { name: objective(id).name, colour: colourOf(id) };
}

export const LIBRARY_VIEWS = [
  { library: 'trl', name: 'TRL', colour: '--series-gspo', shape: 'circle' },
  { library: 'verl', name: 'verl', colour: '--series-dapo', shape: 'square' },
] as const satisfies readonly { library: Library; name: string; colour: string; shape: string }[];

export const libraryName = (library: Library): string =>
  LIBRARY_VIEWS.find((view) => view.library === library)?.name ?? library;

/** The objectives' colours as custom properties, each with its two values, as in `tokens.css`. */
export function colourSheet(): string {
  const tokens = OBJECTIVES.map(
    ({ id, colour }) => `${colourOf(id)}:light-dark(${colour.light},${colour.dark})`,
  );
  return `:root{${tokens.join(';')}}`;
}

/** "3e-4 / 4e-4"; where there is no lower edge, "none / 4" */
export function bandText({ low, high }: { low: number | null; high: number }): string {
  return `${low === null ? 'none' : epsilonText(low)} / ${epsilonText(high)}`;
}
