/** What a run shows while it runs: a live line on a terminal, and a row of figures each log interval. */
import { styleText } from 'node:util';
import { amountOfBytes, duration } from '../text/amounts';

export interface ProgressLine {
  readonly step: number;
  readonly total: number;
  readonly loss: number;
  readonly lr: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  readonly bytes: number;
}

export interface Progress {
  /** Whether there is a live line. */
  readonly live: boolean;
  /** Rewrites the live line; does nothing when piped. */
  line(line: ProgressLine): void;
  /** Prints one row of a table; the header is repeated every 20 rows, what its columns mean stands above the first. */
  row(cells: Readonly<Record<string, string>>): void;
  /** Prints a message above the live line. */
  message(text: string): void;
  /** Prints what only this rank knows; under its name where that is not the one that prints all else. */
  alert(text: string): void;
  end(): void;
}

export function describe({ step, total, loss, lr, imagesPerSecond, secondsLeft, bytes }: ProgressLine): string {
  return `step ${step}/${total}  loss ${loss.toFixed(4)}  lr ${lr.toExponential(2)}  ${imagesPerSecond.toFixed(1)} img/s  ETA ${duration(secondsLeft)}  ${amountOfBytes(bytes)}`;
}

const HEADER_EVERY = 20;

/** For whoever sees the table for the first time. */
const LEGEND = `loss and its parts: global and local crops (DINO), hidden patches (ibot), spread
of features (koleo); lr: learning rate; wait: for pictures, per step`;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const live = stream.isTTY === true;
  let shown = false;
  let rows = 0;
  const clear = (): void => {
    if (shown) stream.write('\r\x1b[K');
    shown = false;
  };
  const print = (text: string): void => {
    clear();
    stream.write(`${text}\n`);
  };
  return {
    live,
    line(line) {
      if (!live) return;
      clear();
      stream.write(describe(line).slice(0, (stream.columns || 120) - 1));
      shown = true;
    },
    row(cells) {
      const widths = Object.entries(cells).map(([name, value]) => Math.max(name.length, value.length, 6));
      const join = (values: readonly string[]) => values.map((value, i) => value.padStart(widths[i]!)).join('  ');
      const header = join(Object.keys(cells));
      if (rows === 0) print(LEGEND);
      if (rows++ % HEADER_EVERY === 0) print(live ? styleText('bold', header) : header);
      print(join(Object.values(cells)));
    },
    message: print,
    alert: print,
    end: clear,
  };
}

/** Of a rank that another one speaks for: it prints what only it knows. */
export function quietProgress(name: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const nothing = (): void => {};
  return {
    live: false,
    line: nothing,
    row: nothing,
    message: nothing,
    alert: (text) => void stream.write(`[${name}] ${text}\n`),
    end: nothing,
  };
}
