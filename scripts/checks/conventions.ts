/**
 * One dialect in every package, so that whoever knows one room knows all of them: where errors live and how they read, that a
 * file says at its top what it is, how constants are written, and British spelling. CONTRIBUTING.md states the rules for people.
 */
import ts from 'typescript';
import { sourceFiles } from './source-imports';
import { readText, workspaces } from './workspace';

/** Names that keep their American spelling: torchvision's transforms and matplotlib's colormaps. */
const OFFICIAL_NAMES = /colorJitter|colormap|Colormap|grayscale|Grayscale|solarize|Solarize/g;
const AMERICAN =
  /(?<![sS])(?:iz(?:e|es|ed|er|ing|ation)|IZ(?:E|ED|ER|ING|ATION))(?![a-z])|colou?rize|[cC]olor|COLOR|[gG]ray|[nN]eighbor|[bB]ehavior/;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const UPPER_CASE = /^[A-Z][A-Z0-9_]*$/;

/** Rules of every source file that is published; tests, examples and benchmarks are read by themselves. */
export async function checkConventions(): Promise<string[]> {
  return workspaces()
    .filter(({ folder }) => /^(packages|apps)\//.test(folder))
    .flatMap(({ folder }) => sourceFiles(`${folder}/src`))
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => conventionProblems(file, readText(file)));
}

/** What is wrong with one file, a line each. */
export function conventionProblems(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const problems: string[] = [];
  const report = (node: ts.Node, problem: string): void => {
    problems.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${problem}`);
  };
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (/^error\.ts$|-errors?\.ts$/.test(name)) report(source, 'the file of errors is named errors.ts');
  if (name !== 'index.ts' && !text.startsWith('/**'))
    report(source, 'the file does not open with a header that says what it is');
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) checkConstants(statement, report);
    if (ts.isTypeAliasDeclaration(statement)) checkCodes(statement, report);
    if (ts.isClassDeclaration(statement)) checkErrorClass(statement, name, report);
    checkSpelling(statement, report);
  }
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node)) checkMessage(node, report);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

type Report = (node: ts.Node, problem: string) => void;

/** Numbers, texts, patterns and lists that stand at the top of a file are written in UPPER_CASE; what is made by a call or is a record is not. */
function checkConstants({ declarationList }: ts.VariableStatement, report: Report): void {
  if (!(declarationList.flags & ts.NodeFlags.Const)) return;
  for (const { name, initializer } of declarationList.declarations) {
    if (!ts.isIdentifier(name) || !initializer) continue;
    if (isPlain(initializer) && !UPPER_CASE.test(name.text))
      report(name, `the constant ${name.text} is written in UPPER_CASE`);
    if (ts.isArrowFunction(initializer) && UPPER_CASE.test(name.text))
      report(name, `${name.text} is a function, not a constant`);
  }
}

function isPlain(value: ts.Expression): boolean {
  if (ts.isAsExpression(value) || ts.isSatisfiesExpression(value) || ts.isParenthesizedExpression(value))
    return isPlain(value.expression);
  if (ts.isPrefixUnaryExpression(value)) return isPlain(value.operand);
  if (ts.isBinaryExpression(value)) return isPlain(value.left) && isPlain(value.right);
  if (ts.isNewExpression(value)) return /^(Set|Map|\w+Array)$/.test(value.expression.getText());
  return ts.isLiteralExpression(value) || ts.isArrayLiteralExpression(value);
}

/** `type VitErrorCode = 'config' | 'image-size'`: codes are kebab-case. */
function checkCodes({ name, type }: ts.TypeAliasDeclaration, report: Report): void {
  if (!name.text.endsWith('ErrorCode')) return;
  const members = ts.isUnionTypeNode(type) ? type.types : [type];
  for (const member of members) {
    if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal)) continue;
    if (!KEBAB_CASE.test(member.literal.text))
      report(member, `the error code '${member.literal.text}' is written in kebab-case`);
  }
}

function checkErrorClass({ name, heritageClauses }: ts.ClassDeclaration, file: string, report: Report): void {
  const isError = heritageClauses?.some(({ types }) =>
    types.some(({ expression }) => /Error$/.test(expression.getText())),
  );
  if (isError && name && file !== 'errors.ts') report(name, `${name.text} is declared in errors.ts`);
}

/** A message of an error of this project: lower case where no name begins it, and no full stop at its end. */
function checkMessage(
  { expression, arguments: args = ts.factory.createNodeArray() }: ts.NewExpression,
  report: Report,
): void {
  if (!/^[A-Z]\w*Error$/.test(expression.getText())) return;
  const message = args.find((argument, i) => (i > 0 || args.length === 1) && isText(argument));
  if (!message) return;
  const text = message.getText().slice(1, -1);
  if (/^[A-Z][a-z]+ /.test(text)) report(message, `an error message begins in lower case: ${text.slice(0, 40)}`);
  if (text.endsWith('.') && !text.endsWith('...'))
    report(message, `an error message ends without a full stop: ${text.slice(-40)}`);
}

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node);

/** Names that others import. */
function checkSpelling(statement: ts.Statement, report: Report): void {
  const isExported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (!isExported) return;
  const names = ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.map((declaration) => declaration.name)
    : 'name' in statement && statement.name
      ? [statement.name as ts.Node]
      : [];
  for (const name of names) {
    if (AMERICAN.test(name.getText().replace(OFFICIAL_NAMES, '')))
      report(name, `${name.getText()}: names are spelt in British English unless official`);
  }
}
