/** The engine in Node, behind the same client as in the browser; no thread, same messages. */
import { Engine } from '../../src/engine/engine';
import { EngineClient } from '../../src/engine/client';
import type { Event, Request } from '../../src/engine/protocol';
import type { FileSource } from '../../src/policy/fetch';
import { localFiles, NODE_ASSETS } from './ort';

/** The part of a Worker that EngineClient uses. */
type Wire = Pick<Worker, 'postMessage' | 'terminate' | 'onmessage' | 'onerror'>;

/** @param files below `models/`; those of this checkout unless told */
export function nodeClient(files: FileSource = localFiles): EngineClient {
  return new EngineClient(() => {
    const wire: Wire = {
      onmessage: null,
      onerror: null,
      postMessage: (request: Request) => void engine.handle(structuredClone(request)),
      terminate: () => void engine.dispose(),
    };
    const engine = new Engine({
      assets: NODE_ASSETS,
      files,
      emit: (event: Event) => {
        const message = new MessageEvent('message', { data: structuredClone(event) });
        wire.onmessage?.call(wire as Worker, message);
      },
    });
    return wire as Worker;
  });
}
