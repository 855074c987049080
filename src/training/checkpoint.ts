/**
 * A trained policy as a safetensors file that says where it comes from. Contract: metadata are strings,
 * as the format wants; whoever reads one back treats them as hostile (`readCheckpoint` validates).
 */
import { parseTraining, type TrainingSettings } from '../settings/training';
import type { Weights } from '../policy/graph/lift';
import { readSafetensors, writeSafetensors } from '../policy/safetensors';

export interface CheckpointOrigin {
  settings: TrainingSettings;
  /** index into the settings' racers */
  racer: number;
  step: number;
}

export function writeCheckpoint(
  weights: Weights,
  { settings, racer, step }: CheckpointOrigin,
): Uint8Array<ArrayBuffer> {
  const [only] = settings.racers.slice(racer, racer + 1);
  return writeSafetensors(weights, {
    step: String(step),
    objective: only?.objective ?? '',
    racer: String(racer),
    training: JSON.stringify(settings),
  });
}

export interface OpenedCheckpoint {
  weights: Weights;
  /** null: another program wrote the file, or its settings are of no version that this lab reads */
  origin: CheckpointOrigin | null;
}

/** @throws SafetensorsError with a sentence when the bytes are no usable file */
export function readCheckpoint(bytes: Uint8Array, file: string): OpenedCheckpoint {
  const { weights, metadata } = readSafetensors(bytes, file);
  return { weights, origin: originOf(metadata) };
}

function originOf(metadata: ReadonlyMap<string, string>): CheckpointOrigin | null {
  const text = metadata.get('training');
  const step = Number(metadata.get('step'));
  const racer = Number(metadata.get('racer'));
  if (text === undefined || !Number.isSafeInteger(step) || !Number.isSafeInteger(racer))
    return null;
  try {
    const settings = parseTraining(JSON.parse(text));
    return racer >= 0 && racer < settings.racers.length ? { settings, racer, step } : null;
  } catch {
    return null;
  }
}
