/**
 * An interpreter for pickles, of all protocols from 0 to 5; Python's Lib/pickletools.py describes the opcodes. A pickle is a
 * program for a stack machine, and in Python it may call anything. Here a global is looked up in the
 * caller's table and nowhere else: what it "calls" are the table's functions, or nothing at all for inert globals, whose
 * arguments are merely kept. No property of an object is ever set by a name from the file, and the number of opcodes is
 * bounded, so a hostile pickle cannot run code, loop, or take more memory than a fixed amount per opcode.
 */
import { CheckpointError } from '../errors';
import { type PickleHooks, PickleMachine } from './pickle-machine';
import { decodeLong, parseFloat64, parseInteger, parseQuoted, parseRawUnicode } from './pickle-text';
import type { PickleValue } from './pickle-values';

/** Some 30 opcodes describe a tensor: room for 16,000 of them, and an empty dict for each takes 100 MB at most. */
const MAX_OPCODES = 500_000;
const STOP = 0x2e;

/** Decodes one pickle. @throws CheckpointError `format`, `too-large`, and what the hooks throw */
export function unpickle(bytes: Uint8Array, hooks: PickleHooks): PickleValue {
  return unpickleAt(bytes, 0, hooks).value;
}

/** Decodes the pickle that begins at byte `start`, and says where it ends. @throws like `unpickle` */
export function unpickleAt(bytes: Uint8Array, start: number, hooks: PickleHooks): { value: PickleValue; end: number } {
  const machine = new PickleMachine(bytes, hooks, start);
  for (let count = 0; count < MAX_OPCODES; count++) {
    const opcode = machine.byte();
    if (opcode === STOP) return { value: machine.pop(), end: machine.at };
    const run = OPCODES.get(opcode);
    if (!run) throw machine.malformed(refusalOf(opcode));
    run(machine);
  }
  throw new CheckpointError(
    'too-large',
    `the pickle has more than ${MAX_OPCODES} opcodes; no checkpoint needs that many`,
  );
}

function refusalOf(opcode: number): string {
  if (opcode >= 0x82 && opcode <= 0x84) return 'it needs the extension registry of the program that wrote it';
  if (opcode === 0x97 || opcode === 0x98) return 'it needs buffers that were kept outside of it';
  return `opcode 0x${opcode.toString(16)} is none of pickle's`;
}

type Run = (machine: PickleMachine) => void;

/** In the order of Python's documentation; framing and protocol numbers carry nothing that is needed. */
const OPCODES: ReadonlyMap<number, Run> = new Map<number, Run>([
  [0x80, (m) => void m.take(1)], // PROTO
  [0x95, (m) => void m.take(8)], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => m.drop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x49, (m) => m.push(parseInteger(m.line(), m.malformed))], // INT
  [0x4c, (m) => m.push(parseInteger(m.line(), m.malformed))], // LONG
  [0x46, (m) => m.push(parseFloat64(m.line(), m.malformed))], // FLOAT
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.byte())], // BININT1
  [0x4d, (m) => m.push(m.uint16())], // BININT2
  [0x8a, (m) => m.push(decodeLong(m.take(m.byte()), m.malformed))], // LONG1
  [0x8b, (m) => m.push(decodeLong(m.take(m.uint32()), m.malformed))], // LONG4
  [0x47, (m) => m.push(m.float64())], // BINFLOAT
  [0x53, (m) => m.push(parseQuoted(m.line(), m.malformed))], // STRING, by Python 2
  [0x54, (m) => m.push(m.text(m.uint32()))], // BINSTRING, by Python 2
  [0x55, (m) => m.push(m.text(m.byte()))], // SHORT_BINSTRING, by Python 2
  [0x56, (m) => m.push(parseRawUnicode(m.line(), m.malformed))], // UNICODE
  [0x58, (m) => m.push(m.text(m.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.byte()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.uint64()))], // BINUNICODE8
  [0x42, (m) => m.push(m.take(m.uint32()))], // BINBYTES
  [0x43, (m) => m.push(m.take(m.byte()))], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.take(m.uint64()))], // BINBYTES8
  [0x96, (m) => m.push(m.take(m.uint64()))], // BYTEARRAY8
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x85, (m) => m.push(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.push(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.push(m.popMany(3))], // TUPLE3
  [0x74, (m) => m.push(m.popMark())], // TUPLE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x6c, (m) => m.push(m.popMark())], // LIST
  [0x61, (m) => m.append(m.popMany(1))], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x8f, (m) => m.push([])], // EMPTY_SET
  [0x90, (m) => m.append(m.popMark())], // ADDITEMS
  [0x91, (m) => m.push(m.popMark())], // FROZENSET
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x64, dictOfMark], // DICT
  [0x73, (m) => m.setItems(m.popMany(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x70, (m) => m.memoize(Number(m.line()))], // PUT
  [0x71, (m) => m.memoize(m.byte())], // BINPUT
  [0x72, (m) => m.memoize(m.uint32())], // LONG_BINPUT
  [0x94, (m) => m.memoize(m.memo.size)], // MEMOIZE
  [0x67, (m) => m.recall(Number(m.line()))], // GET
  [0x68, (m) => m.recall(m.byte())], // BINGET
  [0x6a, (m) => m.recall(m.uint32())], // LONG_BINGET
  [0x63, (m) => m.push(m.global(m.line(), m.line()))], // GLOBAL
  [0x93, stackGlobal], // STACK_GLOBAL
  [0x52, reduce], // REDUCE
  [0x81, reduce], // NEWOBJ: cls.__new__(cls, *args)
  [0x92, newObjectEx], // NEWOBJ_EX: cls.__new__(cls, *args, **kwargs)
  [0x69, (m) => m.call(m.global(m.line(), m.line()), m.popMark())], // INST, by Python 2
  [0x6f, objectOfMark], // OBJ, by Python 2
  [0x62, (m) => m.build()], // BUILD
  [0x50, (m) => m.push(m.hooks.persistent(m.line()))], // PERSID
  [0x51, (m) => m.push(m.hooks.persistent(m.pop()))], // BINPERSID
]);

function dictOfMark(machine: PickleMachine): void {
  const pairs = machine.popMark();
  machine.push(new Map());
  machine.setItems(pairs);
}

function stackGlobal(machine: PickleMachine): void {
  const name = machine.pop();
  machine.push(machine.global(machine.pop(), name));
}

function reduce(machine: PickleMachine): void {
  const args = machine.pop();
  machine.call(machine.pop(), args);
}

/** Keyword arguments are kept like attributes. */
function newObjectEx(machine: PickleMachine): void {
  const keywords = machine.pop();
  reduce(machine);
  machine.push(keywords);
  machine.build();
}

function objectOfMark(machine: PickleMachine): void {
  const [callee, ...args] = machine.popMark();
  machine.call(callee, args);
}
