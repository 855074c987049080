/** Every setting of the race, for who wants more than a preset. */
import type { PageSettings } from '../../../src/link/pages';
import { readTyped, type Setting } from '../../../src/settings/setting';
import { trainingSchema } from '../../../src/settings/training';
import { AddCheckpoint } from '../../setup/AddCheckpoint';
import { SettingField, SettingsForm, useCatalogue, type Option } from '../../setup/SettingsForm';
import {
  useAddress,
  usePageSetting,
  usePageSettings,
  useTypedText,
} from '../../state/address-react';

type RaceKey = keyof PageSettings<'train'>;

export function Settings() {
  const address = useAddress();
  const { policy: name, start } = usePageSettings('train');
  const { policies, options } = useCatalogue(name);
  const chosen: Readonly<Record<string, string>> = { policy: name, start };
  const addStart = (id: string) => address.choose('train', 'start', id);
  return (
    <div className="race-settings">
      <SettingsForm
        schema={trainingSchema}
        layout="race-fields"
        field={(setting) => (
          <RaceField
            key={setting.key}
            setting={setting}
            options={options(setting, chosen[setting.key] ?? '')}
            onChosen={(value) => {
              if (setting.key !== 'policy') return;
              const first = policies.find((other) => other.name === value)?.checkpoints[0];
              if (first !== undefined) addStart(first.id);
            }}
          />
        )}
        below={{ Start: <AddCheckpoint policy={name} chosenAs="the start" onAdded={addStart} /> }}
      />
    </div>
  );
}

interface RaceFieldProps {
  setting: Setting;
  options: readonly Option[] | undefined;
  onChosen: (value: unknown) => void;
}

function RaceField({ setting, options, onChosen }: RaceFieldProps) {
  const [value, setValue] = usePageSetting('train', setting.key as RaceKey);
  const read = (text: string): unknown => {
    if (setting.shape.kind !== 'number') return setting.read(text);
    const reading = readTyped(setting, text);
    return 'value' in reading ? reading.value : undefined;
  };
  const [text, setText] = useTypedText<unknown>(value, read, setting.write);
  const reading: { value?: number; issue?: string } =
    setting.shape.kind === 'number' ? readTyped(setting, text) : {};
  return (
    <SettingField
      setting={setting}
      text={text}
      issue={reading.issue}
      options={options}
      onChange={(typed) => {
        setText(typed);
        const meant = read(typed);
        if (meant === undefined) return;
        // Read by the schema of this very setting.
        setValue(meant as never);
        onChosen(meant);
      }}
    />
  );
}
