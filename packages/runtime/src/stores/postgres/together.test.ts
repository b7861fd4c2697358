import { expect, it } from "vitest";
import { Together } from "./together.js";

/** Calls that end when they are told to, also before they are made. `isOfOne`: as of `Together`. */
function calls(isOfOne?: (error: unknown) => boolean) {
  const sent: (readonly number[])[] = [];
  const gates = [0, 1, 2, 3].map(() => {
    let open: (error?: Error) => void = () => {};
    const opened = new Promise<Error | undefined>((resolve) => {
      open = resolve;
    });
    return { open, opened };
  });
  const together = new Together<number, string>(async (items) => {
    sent.push(items);
    const error = await gates[sent.length - 1]?.opened;
    if (error !== undefined) throw error;
    return items.map((item) => `answer ${item}`);
  }, isOfOne);
  return { together, sent, end: (call: number, error?: Error) => gates[call]?.open(error) };
}

it("sends what comes while a call is under way in the next one, and gives each its own answer", async () => {
  const { together, sent, end } = calls();
  const first = together.ask(1);
  const others = [together.ask(2), together.ask(3)];
  expect(sent).toEqual([[1]]);
  end(0);
  expect(await first).toBe("answer 1");
  end(1);
  expect(await Promise.all(others)).toEqual(["answer 2", "answer 3"]);
  expect(sent).toEqual([[1], [2, 3]]);
});

it("fails only those of the call that failed", async () => {
  const { together, end } = calls();
  const first = together.ask(1);
  const second = together.ask(2);
  end(0, new Error("gone"));
  end(1);
  await expect(first).rejects.toThrow("gone");
  expect(await second).toBe("answer 2");
});

it("sends each by itself after a failure that may have been of one of them, and lets nobody else wait for that", async () => {
  const { together, sent, end } = calls((error) => String(error).includes("lock"));
  const first = together.ask(1);
  const [second, third] = [together.ask(2), together.ask(3)];
  end(0);
  expect(await first).toBe("answer 1");
  end(1, new Error("no lock"));
  end(3);
  expect(await third).toBe("answer 3");
  expect(sent).toEqual([[1], [2, 3], [2], [3]]);
  expect(await together.ask(4)).toBe("answer 4");
  end(2, new Error("no lock"));
  await expect(second).rejects.toThrow("no lock");
});
