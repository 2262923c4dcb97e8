// An intrusion detection that stands in the wire, unseen: interface 0 faces outside,
// interface 1 what is protected. Frames that carry one of the strings are dropped and
// reported in the log; new connections from outside are counted, and their rate is known.
//
//     clickos run ids examples/ids.click --net outside,inside
//     clickos logs ids
//     clickos read ids signatures.matches
//     clickos read ids connections.rate
//     clickos write ids signatures.add '"/etc/shadow"'

out :: FromNetfront(0);
in :: FromNetfront(1);
to_out :: Queue -> ToNetfront(0);
to_in :: Queue -> ToNetfront(1);

signatures :: StringMatcher("/etc/passwd", "cmd.exe", "<script>alert(", "' OR '1'='1");
signatures[0] -> to_in;
signatures[1] -> caught :: Counter
    -> IPPrint("signature found in", LENGTH true) -> Discard;

out -> kind :: Classifier(12/0800, -);
kind[0] -> MarkIPHeader(14)
    -> opens :: IPClassifier(tcp opt syn and not tcp opt ack, -);
kind[1] -> to_in;
opens[0] -> connections :: AverageCounter -> signatures;
opens[1] -> signatures;

in -> to_out;
