package redact

// secretName reports whether a name says that its value is a secret or
// identifies a person. Case and separators do not count: accessToken,
// access_token and Access-Token are one name.
func secretName[T string | []byte](name T) bool {
	var buf [64]byte
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		default:
			continue
		}
		if n == len(buf) { // the end of a name says more than its beginning
			copy(buf[:], buf[1:])
			n--
		}
		buf[n] = c
		n++
	}
	return n >= 3 && (secretWord(buf[:n]) || secretPart(buf[:n]) || secretEnd(buf[:n]))
}

// secretWord knows names that are secrets only when they stand alone.
func secretWord(name []byte) bool {
	switch string(name) {
	case "pin", "cvv", "cvv2", "cvc", "cvc2", "pan", "ssn", "otp", "totp", "jwt", "sid", "sig", "auth", "pwd", "pass",
		"iban", "cookie", "cookies", "setcookie", "email", "csrf", "xsrf", "bearer":
		return true
	}
	return false
}

// secretPart knows words that make any name they are in a secret. The first
// letter decides which are tried.
func secretPart(name []byte) bool {
	for i := 0; i+6 <= len(name); i++ {
		rest := name[i:]
		switch rest[0] {
		case 'p':
			if has(rest, "password") || has(rest, "passwd") || has(rest, "passphrase") || has(rest, "passcode") ||
				has(rest, "privatekey") {
				return true
			}
		case 's':
			if has(rest, "secret") || has(rest, "sessionid") || has(rest, "sessiontoken") {
				return true
			}
		case 'a':
			if has(rest, "apikey") || has(rest, "accesskey") || has(rest, "authorization") {
				return true
			}
		case 'c':
			if has(rest, "credential") || has(rest, "cardnumber") || has(rest, "creditcard") {
				return true
			}
		}
	}
	return false
}

// secretEnd knows words that make a secret at the end of a name, so that
// token_type and emailVerified stay readable.
func secretEnd(name []byte) bool {
	switch name[len(name)-1] {
	case 'n':
		return ends(name, "token") && !ends(name, "pagetoken") && !ends(name, "nexttoken") && !ends(name, "continuationtoken")
	case 'l':
		return ends(name, "email")
	case 's':
		return ends(name, "emailaddress")
	case 'd':
		return ends(name, "pwd")
	case 'e':
		return ends(name, "signature") || ends(name, "pincode")
	}
	return false
}

func has(b []byte, word string) bool { return len(b) >= len(word) && string(b[:len(word)]) == word }

func ends(b []byte, word string) bool {
	return len(b) >= len(word) && string(b[len(b)-len(word):]) == word
}
