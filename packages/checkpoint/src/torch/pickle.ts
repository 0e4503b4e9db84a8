/**
 * An interpreter for the pickle opcodes that `torch.save` emits. They are of protocols 2 to 5, and Python's
 * Lib/pickletools.py describes them. A pickle is a program for a stack machine, and in Python it may call anything. Here a global is looked up in the
 * caller's table and nowhere else: what it "calls" are the table's functions, or nothing at all for inert globals, whose
 * arguments are merely kept. No property of an object is ever set by a name from the file, and the number of opcodes is
 * bounded, so a hostile pickle cannot run code, loop, or take more memory than a fixed amount per opcode.
 */
import { CheckpointError, describe } from '../errors';

/** What a pickle can hold; lists and tuples are both arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleMap
  | PickleGlobal
  | PickleObject
  | PickleExternal;

export type PickleMap = Map<PickleValue, PickleValue>;

/** Base of what the caller's own functions make. */
export abstract class PickleExternal {
  abstract readonly kind: string;
}

/** A class or function that the pickle names. Without `call` it is inert: instances keep what they were given. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** An instance of an inert global: data only. */
export class PickleObject {
  state: PickleValue = null;
  readonly items: PickleMap = new Map();
  constructor(
    readonly type: string,
    readonly args: readonly PickleValue[],
  ) {}
}

export interface PickleHooks {
  /** Meaning of `module.name`; throws for what is not allowed. */
  global(name: string): PickleGlobal;
  /** Meaning of a persistent id. */
  persistent(id: PickleValue): PickleValue;
}

/** Some 30 opcodes describe a tensor: room for 16,000 of them, and an empty dict for each takes 100 MB at most. */
const MAX_OPCODES = 500_000;

/** Decodes one pickle. @throws CheckpointError `bad-format`, `too-large`, and what the hooks throw */
export function unpickle(bytes: Uint8Array, hooks: PickleHooks): PickleValue {
  const machine = new Machine(bytes, hooks);
  for (let count = 0; count < MAX_OPCODES; count++) {
    const opcode = machine.byte();
    if (opcode === STOP) return machine.pop();
    const run = OPCODES.get(opcode);
    if (!run) throw machine.malformed(`opcode 0x${opcode.toString(16)} is not one that torch.save writes`);
    run(machine);
  }
  throw new CheckpointError(
    'too-large',
    `the pickle has more than ${MAX_OPCODES} opcodes; no checkpoint needs that many`,
  );
}

const STOP = 0x2e;
const utf8 = new TextDecoder();

/** Reader, stack, marks and memo; a class because forty opcodes share its state. */
class Machine {
  readonly hooks: PickleHooks;
  readonly memo: Map<number, PickleValue> = new Map();
  stack: PickleValue[] = [];
  readonly marks: PickleValue[][] = [];
  private readonly view: DataView;
  private at = 0;

  constructor(
    private readonly data: Uint8Array,
    hooks: PickleHooks,
  ) {
    this.hooks = hooks;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  malformed(what: string): CheckpointError {
    return new CheckpointError('bad-format', `the pickle is malformed before byte ${this.at}: ${what}`);
  }

  take(length: number): Uint8Array {
    if (length > this.data.length - this.at) throw this.malformed(`${length} bytes are announced, fewer are left`);
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  byte(): number {
    return this.take(1)[0]!;
  }

  uint16(): number {
    this.take(2);
    return this.view.getUint16(this.at - 2, true);
  }

  uint32(): number {
    this.take(4);
    return this.view.getUint32(this.at - 4, true);
  }

  int32(): number {
    return this.uint32() | 0;
  }

  float64(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, false);
  }

  line(): string {
    const end = this.data.indexOf(0x0a, this.at);
    if (end < 0) throw this.malformed('a line has no end');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  text(length: number): string {
    return utf8.decode(this.take(length));
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    if (this.stack.length === 0) throw this.malformed('the stack is empty');
    return this.stack.pop()!;
  }

  top(): PickleValue {
    if (this.stack.length === 0) throw this.malformed('the stack is empty');
    return this.stack.at(-1)!;
  }

  /** Takes everything down to the last mark. */
  popMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (!below) throw this.malformed('a mark is missing');
    this.stack = below;
    return items;
  }

  popMany(count: number): PickleValue[] {
    if (this.stack.length < count) throw this.malformed('the stack is empty');
    return this.stack.splice(this.stack.length - count);
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw this.malformed(`memo ${index} is read before it is written`);
    this.push(this.memo.get(index)!);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.malformed('items are appended to something that is no list');
    for (const item of items) list.push(item);
  }

  setItems(pairs: readonly PickleValue[]): void {
    const target = this.top();
    const map = target instanceof PickleObject ? target.items : target;
    if (!(map instanceof Map) || pairs.length % 2 !== 0)
      throw this.malformed('items are set on something that is no dict');
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i]!, pairs[i + 1]!);
  }

  /** Calls a global of the table, or makes an inert object. */
  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
      throw this.malformed('something uncallable is called');
    this.push(callee.call ? callee.call(args) : new PickleObject(callee.name, args));
  }

  /** Object state is kept for inert objects; that of known ones (a dict's attributes, a tensor's) is not needed. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof PickleObject) target.state = state;
  }

  stackGlobal(): void {
    const name = this.pop();
    const module = this.pop();
    if (typeof name !== 'string' || typeof module !== 'string') {
      throw this.malformed(`a global is named by ${describe(module)} and ${describe(name)}`);
    }
    this.push(this.hooks.global(`${module}.${name}`));
  }

  /** Little-endian two's complement of up to 255 bytes. */
  long(length: number): void {
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(Math.max(8 * length, 1), value);
    this.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
  }
}

type Run = (machine: Machine) => void;

/** Opcodes in the order of Python's documentation; framing and protocol numbers carry nothing that is needed. */
const OPCODES: ReadonlyMap<number, Run> = new Map<number, Run>([
  [0x80, (m) => void m.take(1)], // PROTO
  [0x95, (m) => void m.take(8)], // FRAME
  [0x28, (m) => startMark(m)], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.byte())], // BININT1
  [0x4d, (m) => m.push(m.uint16())], // BININT2
  [0x8a, (m) => m.long(m.byte())], // LONG1
  [0x47, (m) => m.push(m.float64())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.byte()))], // SHORT_BINUNICODE
  [0x54, (m) => m.push(m.text(m.uint32()))], // BINSTRING, by Python 2
  [0x55, (m) => m.push(m.text(m.byte()))], // SHORT_BINSTRING, by Python 2
  [0x42, (m) => m.push(m.take(m.uint32()))], // BINBYTES
  [0x43, (m) => m.push(m.take(m.byte()))], // SHORT_BINBYTES
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x85, (m) => m.push(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.push(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.push(m.popMany(3))], // TUPLE3
  [0x74, (m) => m.push(m.popMark())], // TUPLE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x61, (m) => m.append(m.popMany(1))], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x73, (m) => m.setItems(m.popMany(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x71, (m) => void m.memo.set(m.byte(), m.top())], // BINPUT
  [0x72, (m) => void m.memo.set(m.uint32(), m.top())], // LONG_BINPUT
  [0x94, (m) => void m.memo.set(m.memo.size, m.top())], // MEMOIZE
  [0x68, (m) => m.recall(m.byte())], // BINGET
  [0x6a, (m) => m.recall(m.uint32())], // LONG_BINGET
  [0x63, (m) => m.push(m.hooks.global(`${m.line()}.${m.line()}`))], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x52, (m) => m.reduce()], // REDUCE
  [0x81, (m) => m.reduce()], // NEWOBJ: cls.__new__(cls, *args)
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.push(m.hooks.persistent(m.pop()))], // BINPERSID
]);

function startMark(machine: Machine): void {
  machine.marks.push(machine.stack);
  machine.stack = [];
}
