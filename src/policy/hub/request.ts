/**
 * One request to a hub or a server, and what its failures mean. Contract: no credentials and no referrer are sent; a
 * server that forwards elsewhere is not followed, but for the public hub, whose files lie on hosts of its own;
 * every failure is a FetchError that names the host and the file.
 */
import { FetchError } from '../fetch';
import { HUB } from './address';

/** The connection broke or was refused; asked again, it may be answered. */
export class ConnectionError extends FetchError {
  override name = 'ConnectionError';
}
/** The server answered, and has no such file. */
export class MissingError extends FetchError {
  override name = 'MissingError';
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Asked {
  /** for sentences: "onnx/model.onnx" */
  what: string;
  method?: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export const hostOf = (url: string): string => new URL(url).host;

/** @throws FetchError; an aborted signal's reason */
export async function request(
  fetcher: Fetch,
  url: string,
  { what, method = 'GET', headers = {}, signal }: Asked,
): Promise<Response> {
  const host = hostOf(url);
  let response: Response;
  try {
    response = await fetcher(url, {
      method,
      headers,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      // What is fetched is kept by the lab; twice would be once too often.
      cache: 'no-store',
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ConnectionError(
      `${what} could not be fetched from ${host}: there is no connection, or the server does not let other ` +
        'pages read it (it must send Access-Control-Allow-Origin).',
      { cause },
    );
  }
  const end = response.url === '' ? url : response.url;
  if (hostOf(end) !== host && new URL(url).origin !== HUB) {
    await response.body?.cancel();
    throw new FetchError(
      `${host} forwards ${what} to ${hostOf(end)}, which is not where you wanted it from. If you trust that ` +
        'address, give it instead.',
    );
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw refusal(response.status, host, what);
}

function refusal(status: number, host: string, what: string): FetchError {
  if (status === 404 || status === 410) {
    return new MissingError(`${host} has no ${what} (HTTP status ${status}).`);
  }
  if (status === 401 || status === 403) {
    return new FetchError(
      `${host} does not give ${what} to everybody (HTTP status ${status}): there is no such model, or its licence ` +
        'must be accepted first. Download it there and open its folder here.',
    );
  }
  if (status === 429) {
    return new ConnectionError(
      `${host} has had too many requests (HTTP status 429). Wait a while.`,
    );
  }
  const sentence = `${what} could not be fetched from ${host}: HTTP status ${status}.`;
  return status >= 500 ? new ConnectionError(sentence) : new FetchError(sentence);
}

/** The whole body of a small answer. @throws FetchError where it is larger than `most` */
export async function smallBody(response: Response, what: string, most: number): Promise<string> {
  const host = hostOf(response.url);
  const tooLarge = () =>
    new FetchError(`${what} of ${host} is larger than ${most / 1e6} MB, which it never is.`);
  if (Number(response.headers.get('content-length')) > most) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for (const reader = response.body?.getReader(); reader;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      if (bytes > most) {
        await reader.cancel();
        throw tooLarge();
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch (cause) {
    if (cause instanceof FetchError) throw cause;
    throw new ConnectionError(`${what}: the connection to ${host} broke off.`, { cause });
  }
  return text + decoder.decode();
}
