/** The stack machine that pickles are programs for: its reader, stack, marks and memo. What each opcode does is in `pickle.ts`. */
import { CheckpointError, describe } from '../errors';
import { PickleGlobal, PickleObject, type PickleValue } from './pickle-values';

export interface PickleHooks {
  /** Meaning of `module.name`; throws for what is not allowed. */
  global(name: string): PickleGlobal;
  /** Meaning of a persistent id. */
  persistent(id: PickleValue): PickleValue;
}

const utf8 = new TextDecoder();

/** Reader, stack, marks and memo; a class because all opcodes share its state. */
export class PickleMachine {
  readonly memo: Map<number, PickleValue> = new Map();
  private stack: PickleValue[] = [];
  private readonly marks: PickleValue[][] = [];
  private readonly view: DataView;

  constructor(
    private readonly data: Uint8Array,
    readonly hooks: PickleHooks,
    /** The byte that is read next. */
    public at: number = 0,
  ) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  readonly malformed = (what: string): CheckpointError =>
    new CheckpointError('format', `the pickle is malformed before byte ${this.at}: ${what}`);

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

  /** A length; beyond 2^53 it becomes a number that no file reaches. */
  uint64(): number {
    this.take(8);
    return Number(this.view.getBigUint64(this.at - 8, true));
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

  mark(): void {
    this.marks.push(this.stack);
    this.stack = [];
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

  /** POP takes a mark where nothing lies above it. */
  drop(): void {
    if (this.stack.length === 0 && this.marks.length > 0) this.popMark();
    else this.pop();
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw this.malformed(`memo ${index} is read before it is written`);
    this.push(this.memo.get(index)!);
  }

  memoize(index: number): void {
    if (!Number.isSafeInteger(index)) throw this.malformed('a memo has no number');
    this.memo.set(index, this.top());
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top();
    const list = target instanceof PickleObject ? target.list : target;
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

  /** Calls a global of the table, or makes an inert object; what an inert call gave (`getattr`) may be called in turn. */
  call(callee: PickleValue | undefined, args: PickleValue): void {
    const known = callee instanceof PickleGlobal || callee instanceof PickleObject;
    if (!known || !Array.isArray(args)) throw this.malformed('something uncallable is called');
    if (callee instanceof PickleObject) this.push(new PickleObject(callee.type, args));
    else this.push(callee.call ? callee.call(args) : new PickleObject(callee.name, args));
  }

  /** Object state is kept for inert objects; that of known ones (a dict's attributes, a tensor's) is not needed. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof PickleObject) target.state = state;
  }

  global(module: PickleValue, name: PickleValue): PickleGlobal {
    if (typeof name !== 'string' || typeof module !== 'string') {
      throw this.malformed(`a global is named by ${describe(module)} and ${describe(name)}`);
    }
    return this.hooks.global(`${module}.${name}`);
  }
}
