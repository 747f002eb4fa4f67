import { describe, expect, it } from "@jest/globals";
import { EndpointConfig } from "./endpoint.js";

describe("the address of a server", () => {
  it.each(["nonsense", "ftp://host/v1", "http://me:pass@host/v1", "http://host/v1?key=sk-1"])(
    "is none of a server without secrets: %s",
    (url) => {
      const { success, error } = EndpointConfig.safeParse({ url, model: "m" });
      expect(success).toBe(false);
      expect(error?.issues).toEqual([
        expect.objectContaining({ message: expect.stringMatching(/^expected an address/) }),
      ]);
    },
  );
});
