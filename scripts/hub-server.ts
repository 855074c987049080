/**
 * A small server with a hub's layout, for tests: `OWNER/NAME/resolve/REVISION/path` with ranges, and on demand the list of
 * a repository as the hub's API gives it. Contract: faults are asked for by path, or by `LIST` for the list, and hold until they
 * are taken back.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Of the answer that says what a repository holds. */
export const LIST = 'the list';

export interface Fault {
  /** the connection ends after so many bytes of each answer */
  cutAfter?: number;
  /** only so often */
  times?: number;
  status?: number;
  /** forwards there */
  to?: string;
  /** bytes that it says it has */
  claims?: number;
  /** no ranges: always the whole file */
  whole?: boolean;
}

export interface HubServer {
  /** without a closing slash */
  origin: string;
  /** by `OWNER/NAME`, then by path; may be changed */
  repositories: Map<string, Map<string, Uint8Array>>;
  /** by path, or `LIST` */
  faults: Map<string, Fault>;
  /** as they came: "GET /a/b/resolve/main/config.json", with the range where there is one */
  requests: string[];
  /** commit that `main` is resolved to */
  commit: string;
  close(): Promise<void>;
}

/** @param api answers what a repository holds, as a hub does */
export async function hubServer({ api = true, port = 0 } = {}): Promise<HubServer> {
  const hub: Omit<HubServer, 'origin' | 'close'> = {
    repositories: new Map(),
    faults: new Map(),
    requests: [],
    commit: createHash('sha1').update('main').digest('hex'),
  };
  const server = createServer((request, response) => answer(hub, api, request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  return Object.assign(hub, {
    origin: `http://127.0.0.1:${own}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function answer(
  hub: Omit<HubServer, 'origin' | 'close'>,
  api: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const { range } = request.headers;
  hub.requests.push(`${request.method} ${pathname}${range ? ` ${range}` : ''}`);
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Expose-Headers', 'ETag, Content-Range, Accept-Ranges');
  const listed = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(pathname);
  if (listed) {
    const files = api ? hub.repositories.get(listed[1]) : undefined;
    if (!files) return end(response, 404, 'no such repository');
    const siblings = [...files].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      ...(rfilename.includes('.onnx')
        ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } }
        : {}),
    }));
    const answer = { id: listed[1], sha: hub.commit, siblings, cardData: { license: 'mit' } };
    const bytes = new TextEncoder().encode(JSON.stringify(answer));
    return send(bytes, hub.faults.get(LIST) ?? {}, request, response, 'application/json');
  }
  const asked = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
  const path = asked?.[3] ?? '';
  const bytes = asked ? hub.repositories.get(asked[1])?.get(path) : undefined;
  if (!bytes) return end(response, 404, 'Entry not found');
  const fault = hub.faults.get(path);
  if (fault?.times !== undefined && request.method === 'GET') {
    if (fault.times === 0) return send(bytes, {}, request, response);
    fault.times--;
  }
  send(bytes, fault ?? {}, request, response);
}

function end(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.end(text);
}

function send(
  bytes: Uint8Array,
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  type = 'application/octet-stream',
): void {
  if (fault.status !== undefined) return end(response, fault.status, 'refused');
  if (fault.to !== undefined) {
    response.setHeader('Location', fault.to);
    return end(response, 302, '');
  }
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const ranged = from > 0 && fault.whole !== true;
  if (ranged && from >= bytes.length) return end(response, 416, '');
  const body = bytes.subarray(ranged ? from : 0);
  response.statusCode = ranged ? 206 : 200;
  if (ranged) {
    response.setHeader('Content-Range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
  }
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', fault.claims ?? body.length);
  response.setHeader('ETag', `"${sha256(bytes).slice(0, 16)}"`);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (fault.cutAfter === undefined && fault.claims === undefined) {
    response.end(body);
    return;
  }
  // What was written is to arrive before the end does.
  response.write(body.subarray(0, fault.cutAfter ?? body.length), () =>
    setTimeout(() => response.destroy(), 100),
  );
}
