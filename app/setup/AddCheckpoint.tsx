/** A checkpoint file of the person's own, added to the choices; it stays in the tab. */
import { useId, useState } from 'react';
import { useLab } from '../state/react';
import { message } from '../../src/message';

interface AddCheckpointProps {
  policy: string;
  /** @param id as every choice of checkpoints now has it */
  onAdded?: (id: string) => void;
}

export function AddCheckpoint({ policy, onAdded }: AddCheckpointProps) {
  const lab = useLab();
  const id = useId();
  const [problem, setProblem] = useState<string | null>(null);
  const add = async (file: File) => {
    setProblem(null);
    try {
      const added = await lab.adopt(policy, file.name, file);
      onAdded?.(added);
    } catch (error) {
      setProblem(message(error));
    }
  };
  return (
    <div className="add-checkpoint">
      <label className="button" htmlFor={id}>
        Add a checkpoint file…
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
      {problem !== null && (
        <p className="field-issue" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
