/** The keys of a table, with their types. */
export const keysOf = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[];
