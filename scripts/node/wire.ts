/** An engine in Node behind the client of the browser: no thread, the same messages, copied like there. */
import type { Wire } from '../../src/engine/rpc/channel';

interface Engine<Request> {
  handle(request: Request): Promise<void>;
  dispose(): Promise<void>;
}

/** @param create makes the engine, given how it says things */
export function inProcess<Request, Event>(
  create: (emit: (event: Event) => void) => Engine<Request>,
): Wire {
  const wire: Wire = {
    onmessage: null,
    onerror: null,
    postMessage: (request: Request) => void engine.handle(structuredClone(request)),
    terminate: () => void engine.dispose(),
  };
  const engine = create((event) => {
    const message = new MessageEvent('message', { data: structuredClone(event) });
    wire.onmessage?.call(wire as Worker, message);
  });
  return wire;
}
