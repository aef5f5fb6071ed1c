<?php
// PHP's ext-ffi reads the header's text and verifies a token: php_reads_the_header.php HEADER LIBRARY GENUINE_JSON

declare(strict_types=1);

[, $header, $library, $genuine] = $argv;

function expect(bool $holds, ?string $what): void
{
    if (!$holds) {
        fwrite(STDERR, ($what ?? 'no text') . "\n");
        exit(1);
    }
}

// The text of a pointer of ours, which is freed
function text(FFI $ffi, ?FFI\CData $pointer): ?string
{
    if ($pointer === null || FFI::isNull($pointer)) {
        return null;
    }
    $text = FFI::string($pointer);
    $ffi->pomerium_jwt_string_free($pointer);
    return $text;
}

// FFI skips lines that begin with #, but not the linkage block between two of them
$text = preg_replace('/^#ifdef __cplusplus$.*?^#endif.*?$/ms', '', file_get_contents($header));
$ffi = FFI::cdef($text, $library);
expect($ffi->pomerium_jwt_abi_version() === 1, 'ABI version');
expect($ffi->POMERIUM_JWT_TOKEN_MISSING === 100, 'a constant');

$case = json_decode(file_get_contents($genuine))[0];
$options = json_encode($case->options, JSON_THROW_ON_ERROR);
$verifier = $ffi->new('pomerium_jwt_verifier *');
$output = $ffi->new('char *');
$claims = $ffi->new('char *');
$code = $ffi->pomerium_jwt_verifier_new($options, strlen($options), FFI::addr($verifier), FFI::addr($output));
expect($code === 0, text($ffi, $output));
$code = $ffi->pomerium_jwt_verify_at(
    $verifier,
    $case->token,
    strlen($case->token),
    $case->now,
    FFI::addr($output),
    FFI::addr($claims)
);
expect($code === 0, $code === 0 ? null : text($ffi, $output));
$subject = text($ffi, $ffi->pomerium_jwt_get($output, 'subject'));
expect($subject === $case->expect->identity->subject, "subject $subject");
expect(json_decode(text($ffi, $output)) == $case->expect->identity, 'the identity');
expect(json_decode(text($ffi, $claims)) == $case->expect->claims, 'the claims');

$code = $ffi->pomerium_jwt_verify($verifier, '', 0, FFI::addr($output), FFI::addr($claims));
expect($code === $ffi->POMERIUM_JWT_TOKEN_MISSING, "an absent token: $code");
expect(text($ffi, $output) !== null && FFI::isNull($claims), 'a sentence and no claims');
expect($ffi->pomerium_jwt_code_name(100) === 'token_missing', 'a name');
$ffi->pomerium_jwt_verifier_free($verifier);
