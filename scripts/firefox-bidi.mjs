#!/usr/bin/env node
/**
 * Starts Firefox (FIREFOX_PATH, this process's arguments) for Playwright and stands between the two on
 * WebDriver BiDi: Playwright 1.65 sets media features for every page, which Firefox 153 (ESR) does not know
 * yet and answers with an error, so that no page would open. Such commands are answered here: done where
 * nothing is asked for, with Firefox's own error otherwise. May go when the oldest Firefox that the tests
 * meet knows them.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { WebSocket, WebSocketServer } from 'ws';

const UNKNOWN_HERE = 'emulation.setMediaFeaturesOverride';
/** What Playwright sets by itself, and what a headless Firefox shows anyway. */
const DEFAULTS = { 'prefers-color-scheme': 'light' };

const firefox = spawn(process.env['FIREFOX_PATH'] ?? 'firefox', process.argv.slice(2), {
  stdio: ['inherit', 'inherit', 'pipe'],
});
firefox.on('error', ({ message }) => {
  console.error(`Firefox could not be started: ${message}`);
  process.exit(1);
});
firefox.on('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
  process.on(signal, () => firefox.kill(signal));

createInterface({ input: firefox.stderr }).on('line', (line) => {
  const [, address] = /WebDriver BiDi listening on (ws:\/\/.*)$/.exec(line) ?? [];
  if (address === undefined) console.error(line);
  else serve(address);
});

/** @param {string} address of Firefox's BiDi */
function serve(address) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
    console.error(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}`);
  });
  server.on('connection', (driver, request) => {
    const browser = new WebSocket(`${address}${request.url}`, { perMessageDeflate: false });
    const early = [];
    browser.on('open', () => early.splice(0).forEach((message) => browser.send(message)));
    browser.on('message', (data) => driver.send(data.toString()));
    driver.on('message', (data) => {
      const message = data.toString();
      const answer = answerTo(message);
      if (answer !== undefined) driver.send(answer);
      else if (browser.readyState === WebSocket.OPEN) browser.send(message);
      else early.push(message);
    });
    driver.on('close', () => browser.close());
    browser.on('close', () => driver.close());
    browser.on('error', ({ message }) => console.error(`BiDi: ${message}`));
  });
}

/** @param {string} message @returns {string | undefined} the answer, if the command is one for us */
function answerTo(message) {
  if (!message.includes(UNKNOWN_HERE)) return undefined;
  const { id, method, params } = JSON.parse(message);
  if (method !== UNKNOWN_HERE) return undefined;
  const asked = Object.entries(params.features).filter(
    ([feature, value]) => value !== null && DEFAULTS[feature] !== value,
  );
  if (asked.length > 0) return undefined;
  return JSON.stringify({ type: 'success', id, result: {} });
}
