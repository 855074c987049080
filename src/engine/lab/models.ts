/**
 * Models of other people's: what an engine answers about them. Contract: nothing is fetched but by `model-get`, which a
 * person's button sends; everything else works on what is here, and says what is missing.
 */
import { FetchError } from '../../policy/fetch';
import type { ModelStore } from '../../policy/foreign/repository';
import type { Asked, LabCalls, ModelEvent } from './protocol';

export type ModelRequest = Asked<
  'model-list' | 'model-folder' | 'model-get' | 'model-open' | 'models-kept' | 'model-forget'
>;

type ModelReply = LabCalls[ModelRequest['type']]['reply'];

export class ForeignModels {
  constructor(
    private readonly store: ModelStore | undefined,
    private readonly emit: (event: ModelEvent) => void,
  ) {}

  async answer(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const store = this.require();
    switch (request.type) {
      case 'model-list':
        return store.list(request.text, signal);
      case 'model-folder':
        return store.open(request.name, request.files);
      case 'model-get': {
        const { ref, dtype, expected, accept } = request;
        const onProgress = (loaded: ModelEvent['loaded']) =>
          this.emit({ type: 'model-progress', ref, dtype, loaded });
        return store.get(ref, dtype, { expected, accept, onProgress, signal });
      }
      case 'model-open':
        throw new FetchError('Models cannot be opened yet.');
      case 'models-kept':
        return store.kept();
      case 'model-forget': {
        const { ref } = request;
        await (ref === null ? store.clear() : store.forget(ref));
        return store.kept();
      }
      default:
        return request satisfies never;
    }
  }

  private require(): ModelStore {
    if (this.store) return this.store;
    throw new FetchError('This lab has no place for models of your own.');
  }
}
