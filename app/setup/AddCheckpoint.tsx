/** A checkpoint file of the person's own, added to the choices; it stays in the tab. */
import { t } from '@lingui/core/macro';
import { useId, useState } from 'react';
import { useLab } from '../state/react';
import { message } from '../../src/message';

interface AddCheckpointProps {
  policy: string;
  /** what it becomes: "the new policy" */
  chosenAs: string;
  /** @param id as every choice of checkpoints now has it */
  onAdded: (id: string) => void;
}

export function AddCheckpoint({ policy, chosenAs, onAdded }: AddCheckpointProps) {
  const lab = useLab();
  const id = useId();
  const [problem, setProblem] = useState<string | null>(null);
  const [added, setAdded] = useState<string | null>(null);
  const add = async (file: File) => {
    setProblem(null);
    setAdded(null);
    try {
      onAdded(await lab.adopt(policy, file.name, file));
      setAdded(file.name);
    } catch (error) {
      setProblem(message(error));
    }
  };
  return (
    <div className="add-checkpoint">
      <label className="button" htmlFor={id}>
        {t`Add a checkpoint file…`}
      </label>
      <input
        id={id}
        type="file"
        className="visually-hidden"
        accept=".safetensors"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file !== undefined) void add(file);
        }}
      />
      <p className="field-hint" role="status">
        {added !== null && t`${added} is added, and chosen as ${chosenAs}.`}
      </p>
      {problem !== null && (
        <p className="field-issue" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
