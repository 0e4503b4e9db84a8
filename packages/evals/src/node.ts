export { formatTable, type TableOptions } from './report/format-table';
