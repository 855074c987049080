/** The synthetic source: every field of it, each with a slider and an exact value. */
import type { ReactNode } from 'react';
import { LENGTH_SHAPES } from '../../src/link/settings';
import { useLab } from '../state/react';
import type { Draft, Issues } from './draft';
import { NumberField, SelectField } from './Field';
import { SYNTHETIC_FIELDS, type SyntheticField } from './fields';
import { SetupGroup } from './SetupGroup';
import { SYNTHETIC_SLIDERS } from './slider';

export function SyntheticFields({
  draft,
  issues,
  newSeed,
}: {
  draft: Draft;
  issues: Issues;
  newSeed: () => string;
}) {
  const lab = useLab();
  const { synthetic: values } = draft;
  const set = (change: Partial<Draft['synthetic']>) =>
    lab.edit((before) => ({ ...before, synthetic: { ...before.synthetic, ...change } }));
  const field = (key: SyntheticField, extra: ReactNode = null) => (
    <NumberField
      spec={SYNTHETIC_FIELDS[key]}
      text={values[key]}
      issue={issues[key]}
      {...(key === 'seed' ? {} : { slider: SYNTHETIC_SLIDERS[key] })}
      onChange={(text) => set({ [key]: text })}
      extra={extra}
    />
  );
  return (
    <>
      <SetupGroup title="Responses">
        {field('prompts')}
        {field('groupSize')}
        <SelectField
          label="Lengths"
          hint="distribution of response lengths"
          value={values.lengthShape}
          options={LENGTH_SHAPES.map((shape) => ({ value: shape, label: shape }))}
          onChange={(lengthShape) => set({ lengthShape })}
        />
        {field('minLength')}
        {field('maxLength')}
      </SetupGroup>
      <SetupGroup title="Log-ratios">
        {field('mu')}
        {field('sigma')}
        {field('rho')}
        {field('tau')}
        {field('tailDegrees')}
        {field('drift')}
        {field(
          'seed',
          <button type="button" className="button-quiet" onClick={() => set({ seed: newSeed() })}>
            New seed
          </button>,
        )}
      </SetupGroup>
    </>
  );
}
