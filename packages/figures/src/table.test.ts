import { describe, expect, it } from "@jest/globals";
import { type Table, tableFromArrow, tableToArrow, tableToCsv } from "./table.js";

const table: Table = {
  columns: { model: "string", loss: "number", hidden: "boolean", runs: "string" },
  rows: [
    { model: 'a "quoted", name', loss: 0.1 + 0.2, hidden: true, runs: "run-1 run-2" },
    { model: "line\nbreak", loss: null, hidden: false, runs: "" },
    { model: "βλ", loss: 1e-300, hidden: null, runs: "run-3" },
  ],
};

describe("tableToCsv", () => {
  it("writes a header, quotes what needs quoting and leaves absent values empty", () => {
    expect(tableToCsv(table)).toBe(
      'model,loss,hidden,runs\n"a ""quoted"", name",0.30000000000000004,true,run-1 run-2\n"line\nbreak",,false,\nβλ,1e-300,,run-3\n',
    );
  });
});

describe("tableToArrow", () => {
  it("reads back exactly, with its metadata", () => {
    const back = tableFromArrow(tableToArrow(table, { runs: "run-1 run-2", commits: "abc+" }));
    expect(back).toEqual({ table, metadata: { runs: "run-1 run-2", commits: "abc+" } });
  });
  it("keeps the columns and their types of an empty table", () => {
    expect(tableFromArrow(tableToArrow({ columns: table.columns, rows: [] })).table).toEqual({ ...table, rows: [] });
  });
});
