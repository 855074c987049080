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

/** The objectives' colours as custom properties, light and dark as `tokens.css` switches them. */
export function colourSheet(): string {
  const block = (theme: 'light' | 'dark') =>
    OBJECTIVES.map(({ id, colour }) => `${colourOf(id)}:${colour[theme]}`).join(';');
  return [
    `:root{${block('light')}}`,
    `:root[data-theme='dark']{${block('dark')}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-theme='light']){${block('dark')}}}`,
  ].join('\n');
}

/** "3e-4 / 4e-4"; where there is no lower edge, "none / 4" */
export function bandText({ low, high }: { low: number | null; high: number }): string {
  return `${low === null ? 'none' : epsilonText(low)} / ${epsilonText(high)}`;
}
