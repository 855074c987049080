/** Where class files come in: dropped, chosen, pasted, or scanned where the browser reads codes itself. */
import { useEffect, useRef, useState } from 'react';
import { MAX_CLASS_FILE } from '../../../src/class/file';
import { handIn, handInScanned } from './session';

async function take(files: Iterable<File>): Promise<void> {
  const read = [...files].map(async (file) => ({
    name: file.name,
    // The reader refuses what is longer, by its length alone.
    text: await file.slice(0, MAX_CLASS_FILE + 1).text(),
  }));
  handIn(await Promise.all(read));
}

export function Collecting() {
  const [over, setOver] = useState(false);
  const [pasted, setPasted] = useState('');
  const [scanning, setScanning] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const paste = () => {
    const texts = pasted.split(/\n+/).filter((line) => line.trim() !== '');
    handIn(
      texts.map((text, i) => ({
        name: texts.length > 1 ? `pasted line ${i + 1}` : 'the pasted text',
        text,
      })),
    );
    setPasted('');
  };
  return (
    <section>
      <h2>2. Collect</h2>
      <div
        className={over ? 'class-drop class-drop-over' : 'class-drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void take(event.dataTransfer.files);
        }}
      >
        <p>Drop the class files here</p>
        <div className="class-fields">
          <button type="button" className="button" onClick={() => picker.current?.click()}>
            Choose files
          </button>
          {'BarcodeDetector' in window && (
            <button type="button" className="button" onClick={() => setScanning(!scanning)}>
              {scanning ? 'Stop scanning' : 'Scan codes'}
            </button>
          )}
        </div>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          accept=".json,.txt,application/json,text/plain"
          data-testid="class-picker"
          onChange={(event) => {
            void take(event.target.files ?? []);
            event.target.value = '';
          }}
        />
      </div>
      {scanning && <Scanner />}
      <div className="copy-field">
        <label htmlFor="class-paste">Or paste class texts, one a line</label>
        <textarea
          id="class-paste"
          rows={2}
          value={pasted}
          spellCheck={false}
          onChange={(event) => setPasted(event.target.value)}
        />
        <div className="copy-buttons">
          <button type="button" className="button" disabled={pasted.trim() === ''} onClick={paste}>
            Add
          </button>
        </div>
      </div>
    </section>
  );
}

/** The part of the browser's own code reader that is used; TypeScript's library does not have it yet. */
interface Detector {
  detect(from: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
declare global {
  interface Window {
    BarcodeDetector?: new (options: { formats: string[] }) => Detector;
  }
}

/** ms between looks at the camera's picture */
const EVERY = 250;

function Scanner() {
  const video = useRef<HTMLVideoElement>(null);
  const [words, setWords] = useState('Waiting for the camera…');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stream: MediaStream | undefined;
    let ended = false;
    let scanned = 0;
    const begin = async () => {
      const { BarcodeDetector } = window;
      if (BarcodeDetector === undefined) throw new Error('This browser reads no codes.');
      const reader = new BarcodeDetector({ formats: ['qr_code'] });
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      const picture = video.current;
      if (ended || picture === null) return stream.getTracks().forEach((track) => track.stop());
      picture.srcObject = stream;
      await picture.play();
      setWords('Hold a code before the camera.');
      const look = async () => {
        for (const { rawValue } of await reader.detect(picture)) {
          if (handInScanned(rawValue)) setWords(`${++scanned} scanned.`);
        }
        if (!ended) timer = setTimeout(() => void look().catch(fail), EVERY);
      };
      await look();
    };
    const fail = (error: unknown) =>
      setWords(
        `The camera cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      );
    begin().catch(fail);
    return () => {
      ended = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  return (
    <div className="class-scanner">
      <video ref={video} muted playsInline aria-label="Camera" />
      <p role="status">{words}</p>
    </div>
  );
}
