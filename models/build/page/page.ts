/** Relays between the training process, which drives this page, and the worker that trains. */
import type { StartTraining, TrainingEvent } from './protocol';

declare global {
  interface Window {
    startTraining(start: StartTraining): void;
    trainingEvent(event: TrainingEvent): Promise<void>;
  }
}

window.startTraining = (start) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<TrainingEvent>) => void window.trainingEvent(data);
  worker.onerror = (event) =>
    void window.trainingEvent({ type: 'failed', message: event.message || 'the worker failed' });
  worker.postMessage(start);
};
