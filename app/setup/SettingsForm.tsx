/**
 * Settings as a form: a field for each, in groups under their headings, with label, hint, bounds and options
 * as the declaration has them. Contract: a text that is no value is kept, and explained beside its field.
 */
import { t } from '@lingui/core/macro';
import { useId, type ReactNode } from 'react';
import type { CheckpointInfo, PolicyManifest } from '../../src/policy/manifest';
import { settingsOf, type Declarations, type Setting } from '../../src/settings/setting';
import { Prose, Symbol } from '../format/Prose';
import { useLabState } from '../state/react';
import { sliderPosition, sliderText } from './slider';
import { count, fixed, percent } from '../format/numbers';
import { said } from '../language/i18n';

interface SettingsFormProps {
  schema: Declarations;
  /** of the fields of a group */
  layout: string;
  field: (setting: Setting) => ReactNode;
  /** below a group, by its heading */
  below?: Readonly<Record<string, ReactNode>>;
}

export function SettingsForm({ schema, layout, field, below = {} }: SettingsFormProps) {
  const groups: { heading: string; settings: Setting[] }[] = [];
  for (const setting of settingsOf(schema).values()) {
    if (setting.heading !== undefined) groups.push({ heading: setting.heading, settings: [] });
    // Lists have forms of their own.
    if (setting.shape.kind !== 'list') groups.at(-1)?.settings.push(setting);
  }
  return groups.map(({ heading, settings }) => (
    <fieldset key={heading} className="setup-group">
      <legend>{said(heading)}</legend>
      <div className={layout}>{settings.map(field)}</div>
      {below[heading]}
    </fieldset>
  ));
}

interface SettingFieldProps {
  setting: Setting;
  text: string;
  issue?: string | undefined;
  slider?: boolean;
  /** in place of the declaration's */
  hint?: string | undefined;
  /** what a name may be, where the catalogue knows */
  options?: readonly Option[] | undefined;
  onChange: (text: string) => void;
  extra?: ReactNode;
}

export interface Option {
  value: string;
  label: string;
}

export function SettingField(props: SettingFieldProps) {
  const { setting, text, issue, options, slider = true, onChange, extra } = props;
  const { label, symbol, shape } = setting;
  const id = useId();
  const hintId = useId();
  const wrong = useId();
  const hint = props.hint ?? (setting.hint && said(setting.hint));
  const choices = options ?? optionsOf(setting);
  const sliding = slider && setting.slider !== undefined;
  const half = choices === null && !sliding && extra === undefined && setting.rows === undefined;
  const described = {
    id,
    'aria-describedby': issue === undefined ? hintId : `${wrong} ${hintId}`,
  };
  return (
    <div className={half ? 'field field-half' : 'field'}>
      <label htmlFor={id}>
        {said(label)}
        {symbol !== undefined && (
          <>
            {' '}
            <Symbol text={symbol} />
          </>
        )}
      </label>
      {choices !== null ? (
        <select
          {...described}
          value={text}
          onChange={(event) => {
            const chosen = choices[event.currentTarget.selectedIndex];
            if (chosen !== undefined) onChange(chosen.value);
          }}
        >
          {choices.map(({ value, label: named }) => (
            <option key={value} value={value}>
              {named}
            </option>
          ))}
        </select>
      ) : setting.rows !== undefined ? (
        <textarea
          {...described}
          rows={setting.rows}
          dir="auto"
          spellCheck={false}
          value={text}
          aria-invalid={issue !== undefined}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <div className="field-input">
          {sliding && <Slider setting={setting} text={text} onChange={onChange} />}
          <input
            {...described}
            type="text"
            inputMode={
              shape.kind === 'number' && shape.whole && shape.low >= 0 ? 'numeric' : 'text'
            }
            autoComplete="off"
            spellCheck={false}
            className={sliding ? 'input-short' : ''}
            value={text}
            aria-invalid={issue !== undefined}
            onChange={(event) => onChange(event.currentTarget.value)}
          />
          {extra}
        </div>
      )}
      {issue !== undefined && (
        <p className="field-issue" id={wrong} role="alert">
          {issue}
        </p>
      )}
      <p className="field-hint" id={hintId}>
        <Prose>{hint ?? ''}</Prose>
      </p>
    </div>
  );
}

function optionsOf({ shape, show }: Setting): readonly Option[] | null {
  if (shape.kind === 'flag') {
    return [
      { value: '0', label: t`no` },
      { value: '1', label: t`yes` },
    ];
  }
  if (shape.kind !== 'choice') return null;
  return shape.options.map((option) => ({ value: String(option), label: said(show(option)) }));
}

/** Marked at 0 and at the default. */
function Slider({
  setting,
  text,
  onChange,
}: Pick<SettingFieldProps, 'setting' | 'text' | 'onChange'>) {
  const marks = useId();
  const { shape, slider, label, fallback } = setting;
  if (shape.kind !== 'number' || slider === undefined) return null;
  const at = (value: unknown) => sliderPosition(shape, slider, Number(value));
  return (
    <>
      <input
        type="range"
        aria-label={t`${label}, slider`}
        aria-valuetext={text}
        min={0}
        max={1}
        step={slider === 'linear' ? 0.01 / (shape.high - shape.low) : 0.005}
        list={marks}
        value={at(text)}
        onChange={(event) => onChange(sliderText(shape, slider, Number(event.currentTarget.value)))}
      />
      <datalist id={marks}>
        <option value={at(0)} />
        {fallback !== 0 && <option value={at(fallback)} />}
      </datalist>
    </>
  );
}

const NO_POLICIES: readonly PolicyManifest[] = [];
const SERIES = { supervised: '', gspo: 'GSPO ', grpo: 'GRPO ', own: '' };

export function checkpointLabel({ id, series, step, loss, accuracy }: CheckpointInfo): string {
  if (series === 'own') return id;
  const nats = loss === null ? '' : ` · ${fixed(loss, 3)} nats`;
  const right = accuracy === null ? '' : ` · ${t`${percent(accuracy, 0)} right`}`;
  return `${SERIES[series]}${t`step ${count(step)}`}${nats}${right}`;
}

/** Policies, and the checkpoints of one of them, as a person chooses among them. */
export function useCatalogue(policyName: string) {
  const policies = useLabState((state) =>
    state.opening.status === 'open' ? state.opening.policies : NO_POLICIES,
  );
  const policy = policies.find(({ name }) => name === policyName);
  /** What a setting may be; a name that is not in the catalogue stays as it is. */
  const options = ({ shape }: Setting, chosen: string): readonly Option[] | undefined => {
    if (shape.kind !== 'name') return undefined;
    const known: Option[] =
      shape.of === 'policy'
        ? policies.map(({ name, title }) => ({ value: name, label: title }))
        : (policy?.checkpoints ?? []).map((one) => ({
            value: one.id,
            label: checkpointLabel(one),
          }));
    return known.some(({ value }) => value === chosen)
      ? known
      : [{ value: chosen, label: chosen }, ...known];
  };
  return { policies, policy, options };
}
