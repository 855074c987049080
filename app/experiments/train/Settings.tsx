/** Every setting of the race, for who wants more than a preset. */
import { useMemo } from 'react';
import { BACKENDS } from '../../../src/link/settings';
import { SCHEDULES } from '../../../src/link/training';
import type { PolicyManifest } from '../../../src/policy/manifest';
import { AddCheckpoint } from '../../setup/AddCheckpoint';
import { checkpointLabel } from '../../setup/checkpoints';
import { NumberField, SelectField } from '../../setup/Field';
import { readNumber, type FieldSpec } from '../../setup/fields';
import { SetupGroup } from '../../setup/SetupGroup';
import { usePageSetting, useTypedText } from '../../state/address-react';
import { useLabState } from '../../state/react';
import { BACKEND_NAMES, FIELD_GROUPS, LABELS } from './fields';

const NO_POLICIES: readonly PolicyManifest[] = [];

export function Settings() {
  return (
    <div className="race-settings">
      <Start />
      {FIELD_GROUPS.map(({ title, fields }) => (
        <SetupGroup key={title} title={title}>
          <div className="race-fields">
            {fields.map((field) => (
              <RaceNumber key={field.key} spec={field} />
            ))}
          </div>
          {title === 'Updates' && <Schedule />}
        </SetupGroup>
      ))}
    </div>
  );
}

function Start() {
  const [policyName, setPolicy] = usePageSetting('train', 'trained');
  const [from, setFrom] = usePageSetting('train', 'from');
  const [backend, setBackend] = usePageSetting('train', 'on');
  const policies = useLabState((state) =>
    state.opening.status === 'open' ? state.opening.policies : NO_POLICIES,
  );
  const policy = policies.find(({ name }) => name === policyName);
  const checkpoints = useMemo(
    () => policy?.checkpoints.map((one) => ({ value: one.id, label: checkpointLabel(one) })) ?? [],
    [policy],
  );
  const known = checkpoints.some(({ value }) => value === from);
  return (
    <SetupGroup title="Start">
      <div className="race-fields">
        <SelectField
          label={LABELS.trained}
          hint="that every racer trains"
          value={policyName}
          options={
            policies.length > 0
              ? policies.map(({ name, title }) => ({ value: name, label: title }))
              : [{ value: policyName, label: policyName }]
          }
          onChange={(name) => {
            setPolicy(name);
            const first = policies.find((other) => other.name === name)?.checkpoints[0];
            if (first !== undefined) setFrom(first.id);
          }}
        />
        <SelectField
          label={LABELS.from}
          hint="that every racer starts from"
          value={from}
          options={known ? checkpoints : [{ value: from, label: from }, ...checkpoints]}
          onChange={setFrom}
        />
        <SelectField
          label={LABELS.on}
          hint="automatic: WebGPU on a real adapter, else WebAssembly"
          value={backend}
          options={BACKENDS.map((value) => ({ value, label: BACKEND_NAMES[value] }))}
          onChange={setBackend}
        />
      </div>
      <AddCheckpoint policy={policyName} onAdded={setFrom} />
    </SetupGroup>
  );
}

function Schedule() {
  const [schedule, setSchedule] = usePageSetting('train', 'schedule');
  return (
    <SelectField
      label={LABELS.schedule}
      hint="of the learning rate, after the warm-up"
      value={schedule}
      options={SCHEDULES.map((value) => ({ value, label: value }))}
      onChange={setSchedule}
    />
  );
}

type RaceField = (typeof FIELD_GROUPS)[number]['fields'][number];

function RaceNumber({ spec }: { spec: RaceField }) {
  const [value, setValue] = usePageSetting('train', spec.key);
  const read = (text: string) => {
    const reading = readNumber(spec as FieldSpec<string>, text);
    return 'value' in reading ? reading.value : undefined;
  };
  const [text, setText] = useTypedText(value, read, String);
  const reading = readNumber(spec as FieldSpec<string>, text);
  return (
    <NumberField
      spec={spec}
      text={text}
      issue={'issue' in reading ? reading.issue : undefined}
      onChange={(typed) => {
        setText(typed);
        const number = read(typed);
        if (number !== undefined) setValue(number);
      }}
    />
  );
}
