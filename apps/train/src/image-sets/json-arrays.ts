/**
 * Elements of the arrays of a large JSON file, one at a time.
 *
 * Annotations of COCO are one object of hundreds of megabytes, which no string of JavaScript holds. Its bytes are walked through in pieces; only an element
 * of an array that is asked for is parsed, by itself, and everything else is passed over. All that matters to the walk (quotes, brackets, commas) is
 * ASCII, which no other character of UTF-8 contains.
 */
import type { ByteFile } from '@franca/data';
import { TrainError } from '../errors';

/** What is done with the elements of each array that is asked for, by its name in the outermost object. */
export type ArrayReaders = Readonly<Record<string, (element: unknown, index: number) => void>>;

const PIECE_BYTES = 8 * 2 ** 20;
/** More than the annotations of one picture ever take. */
const MAX_ELEMENT_BYTES = 64 * 2 ** 20;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Where the walk is; `depth` counts brackets that are open. */
interface Walk {
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** Text of the last string of the outermost object, and the name that it turned out to be. */
  string: Buffer[];
  name: string;
  /** The element that is being read; undefined outside the arrays that are asked for. */
  element: Buffer[] | undefined;
  elementBytes: number;
  index: number;
}

/**
 * Reads the arrays that `readers` name, in the order of the file.
 * @throws TrainError `data` where the file is no such JSON, with the place; and what `readers` throw
 */
export async function readJsonArrays(
  file: ByteFile,
  readers: ArrayReaders,
  pieceBytes: number = PIECE_BYTES,
): Promise<void> {
  const walk: Walk = {
    depth: 0,
    inString: false,
    escaped: false,
    string: [],
    name: '',
    element: undefined,
    elementBytes: 0,
    index: 0,
  };
  for (let at = 0; at < file.size; at += pieceBytes) {
    const piece = Buffer.from(await file.read(at, Math.min(pieceBytes, file.size - at)));
    if (walk.depth === 0 && (firstCharacter(piece) ?? OPEN_OBJECT) !== OPEN_OBJECT)
      throw new TrainError('data', `${file.name} is no JSON object`);
    walkPiece(file.name, walk, piece, readers);
  }
  if (walk.depth !== 0 || walk.inString)
    throw new TrainError('data', `${file.name} ends inside its JSON; it is damaged or cut short`);
}

const firstCharacter = (piece: Buffer): number | undefined => piece.find((byte) => byte > 0x20 && byte < 0x80);

function walkPiece(file: string, walk: Walk, piece: Buffer, readers: ArrayReaders): void {
  let [from, stringFrom] = [0, 0];
  const keep = (end: number): void => {
    if (!walk.element || end <= from) return;
    walk.element.push(piece.subarray(from, end));
    walk.elementBytes += end - from;
    if (walk.elementBytes > MAX_ELEMENT_BYTES)
      throw new TrainError('data', `${file}: element ${walk.index} of "${walk.name}" is larger than any annotation`);
  };
  const finish = (end: number): void => {
    keep(end);
    from = end + 1;
    takeElement(file, walk, readers);
  };
  for (let i = 0; i < piece.length; i++) {
    const byte = piece[i]!;
    if (walk.inString) {
      if (walk.escaped) walk.escaped = false;
      else if (byte === BACKSLASH) walk.escaped = true;
      else if (byte === QUOTE) {
        walk.inString = false;
        if (walk.depth === 1) walk.string.push(piece.subarray(stringFrom, i));
      }
    } else if (byte === QUOTE) {
      walk.inString = true;
      stringFrom = i + 1;
      if (walk.depth === 1) walk.string = [];
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      walk.depth++;
      if (walk.depth === 2 && byte === OPEN_ARRAY && Object.hasOwn(readers, walk.name)) {
        Object.assign(walk, { element: [], elementBytes: 0, index: 0 });
        from = i + 1;
      }
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      walk.depth--;
      if (walk.depth < 0) throw new TrainError('data', `${file} is no JSON: a bracket is closed that was not opened`);
      if (walk.depth === 1 && walk.element) {
        finish(i);
        walk.element = undefined;
      }
    } else if (byte === COMMA && walk.depth === 2 && walk.element) finish(i);
    else if (byte === COLON && walk.depth === 1) walk.name = Buffer.concat(walk.string).toString();
  }
  keep(piece.length);
  if (walk.inString && walk.depth === 1) walk.string.push(piece.subarray(stringFrom));
}

function takeElement(file: string, walk: Walk, readers: ArrayReaders): void {
  const text = Buffer.concat(walk.element!).toString().trim();
  Object.assign(walk, { element: [], elementBytes: 0 });
  // an empty array has no element
  if (text === '' && walk.index === 0) return;
  let element: unknown;
  try {
    element = JSON.parse(text);
  } catch (cause) {
    throw new TrainError('data', `${file}: element ${walk.index} of "${walk.name}" is no JSON; the file is damaged`, {
      cause,
    });
  }
  readers[walk.name]!(element, walk.index);
  walk.index++;
}
