/** The lab's engine and the trainer in Node, behind the same clients as in the browser. */
import { Engine } from '../../src/engine/lab/engine';
import { EngineClient } from '../../src/engine/lab/client';
import type { Event, Request } from '../../src/engine/lab/protocol';
import { TrainingEngine } from '../../src/engine/trainer/trainer';
import { TrainingClient } from '../../src/engine/trainer/client';
import type { TrainingEvent, TrainingRequest } from '../../src/engine/trainer/protocol';
import type { FileSource } from '../../src/policy/fetch';
import type { ModelStore } from '../../src/policy/foreign/repository';
import { localFiles, NODE_ASSETS } from './ort';
import { samplerThread } from './thread';
import { inProcess } from './wire';

/**
 * @param files below `models/`; those of this checkout unless told
 * @param models where models of other people are; nowhere unless told
 * @param most threads that sample on WebAssembly; 1: the engine's own
 */
export function nodeClient(
  files: FileSource = localFiles,
  most = 1,
  models?: ModelStore,
): EngineClient {
  const samplers = { createWorker: samplerThread, most };
  return new EngineClient(() =>
    inProcess<Request, Event>(
      (emit) =>
        new Engine({
          assets: NODE_ASSETS,
          files,
          emit,
          samplers,
          ...(models ? { models } : {}),
        }),
    ),
  );
}

/** @param app version, for files that the trainer writes */
export function nodeTrainingClient(app: string, files: FileSource = localFiles): TrainingClient {
  return new TrainingClient(() =>
    inProcess<TrainingRequest, TrainingEvent>(
      (emit) =>
        new TrainingEngine({
          assets: NODE_ASSETS,
          files,
          app,
          emit: (event) => {
            // onnxruntime-web's global Worker makes jax-js take Node for a browser (see training.ts).
            Reflect.deleteProperty(globalThis, 'Worker');
            emit(event);
          },
        }),
    ),
  );
}
