"""Trial balance from an export: lines of account;cents. Exit 1 if the books do not balance."""
import sys


def total(lines):
    return sum(int(line.rsplit(";", 1)[1]) for line in lines if line.strip())


def main(argv):
    if len(argv) != 1:
        print("usage: balance EXPORT", file=sys.stderr)
        return 2
    with open(argv[0], encoding="utf-8") as export:
        difference = total(export)
    print(f"difference {difference}")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
