"""The tables that scripts/database-lock prints."""
import statistics


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def shown(value, scale=1.0, digits=0):
    return "-" if value is None else f"{value / scale:.{digits}f}"


def shown_time(ns):
    if ns is None:
        return "-"
    for unit, scale in (("ns", 1), ("us", 1e3), ("ms", 1e6)):
        if ns < 1000 * scale:
            break
    return f"{ns / scale:.3g} {unit}"


def shown_rates(values):
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})" if values else "-"


def print_lock(kind, rows, options):
    def rates(clients, setting, traced):
        return [row["transactions_per_s"] for row in rows
                if (row["clients"], row["setting"], row["traced"]) == (clients, setting, traced)]

    wide = 26
    print(f"\n{'':7}{'transactions a second: median (range)':>{3 * wide}}{'failed':>9}{'':9}{'preempted':>11}{'hand-off':>16}")
    print(f"{'clients':7}{'untraced':>{wide}}{'traced':>{wide}}{kind['split_name']:>{wide}}"
          f"{'/s':>9}{'waited':>9}{'/s':>11}{'p50':>10}{'p99':>10}")
    for clients in options.clients:
        seen = [row["seen"] for row in rows if row["clients"] == clients and row["traced"]]

        def of(key):
            return median([one[key] for one in seen])
        waited = of("waited_share")
        print(f"{clients:7}{shown_rates(rates(clients, 'whole', False)):>{wide}}"
              f"{shown_rates(rates(clients, 'whole', True)):>{wide}}{shown_rates(rates(clients, 'split', False)):>{wide}}"
              f"{shown(of('failed_per_s')):>9}{shown(waited, 0.01, 1) + ' %' * (waited is not None):>9}"
              f"{shown(of('holder_preempted_per_s')):>11}"
              f"{shown_time(of('handoff_p50_ns')):>10}{shown_time(of('handoff_p99_ns')):>10}")
    print("waited: of the clients' time, how much went by asleep for the lock, or woken for it and not yet in it")
    dropped = sum(row["seen"]["records_dropped"] for row in rows if row["traced"])
    if dropped:
        print(f"{dropped} records were dropped, so hand-offs and waiting lack them.")
    for row in rows:
        if row["traced"] and row["seen"]["doubt"]:
            print(f"In doubt with {row['clients']} clients, in block {row['block'] + 1}: {row['seen']['doubt']}")
    most = [row["seen"]["sentence"] for row in rows if row["traced"] and row["clients"] == max(options.clients)]
    print(f"\nWith {max(options.clients)} clients, in the last block:\n  {most[-1]}")


def print_witness(witnessed, options):
    if not witnessed:
        print("No witness of the futex's calls: bpftrace is not here, or could not trace.")
        return
    print(f"A witness of the futex's calls, with {max(options.clients)} clients: {witnessed['woken']:.0f} waits a second that were woken,\n"
          f"{witnessed['at_once']:.0f} that found the lock's word changed and returned at once, {witnessed['wakes']:.0f} wakes. "
          "Those at once slept for\nnothing that a switch could show, so they are in no failed attempt above.")


def shown_gain(whole, split):
    """Of values by block: by how much those of the same block differ."""
    gains = [split[block] / whole[block] for block in whole if block in split]
    return f"{median(gains):.2f} ({min(gains):.2f} to {max(gains):.2f})" if gains else "-"


def print_model(models, workload, modelled, rows, options):
    def by_block(some, key, **wanted):
        return {row["block"]: row[key] for row in some if all(row[name] == value for name, value in wanted.items())}

    print(f"\nThe model, {workload}, untraced: operations a second; and what splitting gained, by block\n"
          f"{'threads':7}{models[0]:>26}{models[1]:>26}{'gain':>23}{'in the database':>23}")
    for clients in options.clients:
        whole, split = (by_block(modelled, "operations_per_s", policy=model, threads=clients) for model in models)
        real = [by_block(rows, "transactions_per_s", clients=clients, setting=setting, traced=False)
                for setting in ("whole", "split")]
        print(f"{clients:7}{shown_rates(list(whole.values())):>26}{shown_rates(list(split.values())):>26}"
              f"{shown_gain(whole, split):>23}{shown_gain(*real):>23}")
    print("It is only a model: each of its pieces is as likely as any other, a thread holds one whenever it computes,\n"
          "and its clients sleep, while those of the database compute on the same CPUs.")
